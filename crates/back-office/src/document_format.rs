//! What makes the documents of issued invoices.

use billing::invoice::Invoice;
use std::fmt;
use std::sync::Arc;

pub use invoice_file::format::DocumentFormat;

type Render = dyn Fn(&Invoice, DocumentFormat) -> Result<Vec<u8>, String> + Send + Sync;

/// What makes documents; in words what is wrong where one cannot be made. It blocks, and is called off the threads that answer requests.
#[derive(Clone)]
pub struct Renderer(pub(crate) Arc<Render>);

impl Renderer {
    /// One that does as a function says.
    pub fn new(
        render: impl Fn(&Invoice, DocumentFormat) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}

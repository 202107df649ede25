//! Documents from charges, credit notes of documents: sums, messages, and what must never happen.

mod composing;
mod crediting;
mod items;
mod nothing;
mod sample;
mod warning;

pub(super) use sample::Numbers;

//! Colours of a page.

/// A colour: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The colour thinned with white; `parts` of a hundred are left.
    #[must_use]
    pub const fn tint(self, parts: u16) -> Self {
        const fn thin(channel: u8, parts: u16) -> u8 {
            // At most 255.
            ((channel as u16 * parts + 255 * (100 - parts)) / 100) as u8
        }
        Self(thin(self.0, parts), thin(self.1, parts), thin(self.2, parts))
    }
}

//! Lengths on a page: whole thousandths of a point, so that layout is exact and the same on every machine.

/// Thousandths of a point, which is 1/72 inch.
pub type Length = i32;

/// A length in whole points.
pub const fn pt(points: i32) -> Length {
    points * 1000
}

/// A length in tenths of a millimetre.
pub const fn tenth_mm(tenths: i32) -> Length {
    // 72 points are 25.4 mm.
    tenths * 72_000 / 254
}

/// A page of a paper size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paper {
    pub width: Length,
    pub height: Length,
}

/// 210 × 297 mm.
pub const A4: Paper = Paper { width: tenth_mm(2100), height: tenth_mm(2970) };
/// 8.5 × 11 inches.
pub const LETTER: Paper = Paper { width: pt(612), height: pt(792) };

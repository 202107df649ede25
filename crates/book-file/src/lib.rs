//! book-file.

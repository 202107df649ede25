//! The formats that an invoice can be had in: one list for what makes documents, what gives them out and what asks for them.

/// How much of an invoice's number is in the name of a file.
const NAME_CHARACTERS_MAX: usize = 100;

/// A format that an invoice can be had in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentFormat {
    /// PDF/A-3a and PDF/UA-1, with Factur-X in it.
    Pdf,
    /// UBL 2.1 by the rules of Peppol BIS Billing 3.0.
    Ubl,
    /// The Cross Industry Invoice of Factur-X.
    FacturX,
    /// The lines as CSV.
    Csv,
    /// The lines as a spreadsheet.
    Xlsx,
    /// The data, word for word as they were issued.
    Json,
}

impl DocumentFormat {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Pdf, Self::Ubl, Self::FacturX, Self::Csv, Self::Xlsx, Self::Json];

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "PDF",
            Self::Ubl => "UBL",
            Self::FacturX => "FACTUR_X",
            Self::Csv => "CSV",
            Self::Xlsx => "XLSX",
            Self::Json => "JSON",
        }
    }

    /// Its name on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Ubl => "ubl",
            Self::FacturX => "factur-x",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Pdf => "PDF/A-3 with Factur-X in it",
            Self::Ubl => "UBL 2.1, Peppol BIS Billing 3.0",
            Self::FacturX => "Cross Industry Invoice, Factur-X of the profile EN 16931",
            Self::Csv => "The lines as CSV",
            Self::Xlsx => "The lines as a spreadsheet",
            Self::Json => "The data themselves",
        }
    }

    /// The format of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// What its bytes are, as HTTP and mail say it.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Ubl | Self::FacturX => "application/xml",
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Json => "application/json",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Ubl => "ubl.xml",
            Self::FacturX => "factur-x.xml",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
        }
    }

    /// What the document of an invoice is called where it is saved: letters, digits, `-`, `_` and dots, so that no file system and no header takes
    /// it for anything else.
    #[must_use]
    pub fn file_name(self, number: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let name: String = number.chars().take(NAME_CHARACTERS_MAX).map(plain).collect();
        format!("invoice-{name}.{}", self.ending())
    }
}

#[cfg(test)]
mod tests {
    //! Names of files.

    use super::*;

    #[test]
    fn a_name_is_taken_for_nothing_else() {
        assert_eq!(DocumentFormat::Pdf.file_name("INV-2026-0001"), "invoice-INV-2026-0001.pdf");
        assert_eq!(DocumentFormat::Ubl.file_name("../é\"\r\n1"), "invoice-_______1.ubl.xml");
        let long = DocumentFormat::Csv.file_name(&"9".repeat(400));
        assert_eq!(long.len(), "invoice-.csv".len() + NAME_CHARACTERS_MAX);
    }

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in DocumentFormat::ALL {
            assert_eq!(DocumentFormat::named(format.name()), Some(format));
        }
        assert_eq!(DocumentFormat::named("pdf"), None);
    }
}

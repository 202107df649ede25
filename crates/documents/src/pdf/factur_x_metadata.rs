//! Says in a PDF's metadata that it is Factur-X, which readers of such invoices look for first.
//!
//! `krilla` writes the metadata (XMP) of PDF/A and has no place for properties of others. So the packet is written anew: with the four properties
//! of Factur-X and the description of their schema, which PDF/A wants (ISO 19005-3, 6.6.2.3), and the table of places behind it is corrected.

use crate::Error;

/// Declares the attachment `file` to be Factur-X of the profile EN 16931.
///
/// # Errors
/// [`Error::Pdf`] where the file is not built as `krilla` builds it.
pub fn declare(pdf: Vec<u8>, file: &str) -> Result<Vec<u8>, Error> {
    rewritten(&pdf, file).ok_or_else(|| Error::Pdf("its metadata is not where it is expected".to_owned()))
}

fn rewritten(pdf: &[u8], file: &str) -> Option<Vec<u8>> {
    let marker = find(pdf, b"/Subtype /XML", 0).or_else(|| find(pdf, b"/Subtype/XML", 0))?;
    let object = rfind(pdf, b" 0 obj", marker)?;
    let stream = find(pdf, b"stream\n", marker)? + b"stream\n".len();
    let end = find(pdf, b"\nendstream", stream)?;
    let packet = std::str::from_utf8(&pdf[stream..end]).ok()?;
    let packet = extended(packet, file)?;
    let length_at = find(pdf, b"/Length ", object)? + b"/Length ".len();
    let length_end = length_at + pdf[length_at..].iter().position(|byte| !byte.is_ascii_digit())?;
    let mut out = Vec::with_capacity(pdf.len() + 4096);
    out.extend_from_slice(&pdf[..length_at]);
    out.extend_from_slice(packet.len().to_string().as_bytes());
    out.extend_from_slice(&pdf[length_end..stream]);
    out.extend_from_slice(packet.as_bytes());
    let grown = out.len() - end;
    let start = rfind(pdf, b"startxref", pdf.len())?;
    let table: usize = std::str::from_utf8(&pdf[start..]).ok()?.lines().nth(1)?.trim().parse().ok()?;
    out.extend_from_slice(&pdf[end..table]);
    let places = std::str::from_utf8(pdf.get(table..start)?).ok()?;
    out.extend_from_slice(moved(places, stream, grown).as_bytes());
    out.extend_from_slice(format!("startxref\n{}\n%%EOF", table + grown).as_bytes());
    Some(out)
}

/// The packet with the properties and their schema.
fn extended(packet: &str, file: &str) -> Option<String> {
    let properties = format!(
        "<rdf:Description rdf:about=\"\" xmlns:fx=\"urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#\">\
         <fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>{file}</fx:DocumentFileName>\
         <fx:Version>1.0</fx:Version><fx:ConformanceLevel>EN 16931</fx:ConformanceLevel></rdf:Description>"
    );
    let schemas = packet.find("</pdfaExtension:schemas>")?;
    let bag = packet[..schemas].rfind("</rdf:Bag>")?;
    let last = packet.rfind("</rdf:RDF>")?;
    let (before, rest) = packet.split_at(bag);
    let (between, after) = rest.split_at(last - bag);
    Some([before, &schema(), between, &properties, after].concat())
}

fn schema() -> String {
    let property = |name: &str, about: &str| {
        format!(
            "<rdf:li rdf:parseType=\"Resource\"><pdfaProperty:name>{name}</pdfaProperty:name>\
             <pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>\
             <pdfaProperty:description>{about}</pdfaProperty:description></rdf:li>"
        )
    };
    let properties = [
        property("DocumentFileName", "The name of the embedded XML document"),
        property("DocumentType", "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER"),
        property("Version", "The actual version of the standard applying to the embedded XML document"),
        property("ConformanceLevel", "The conformance level of the embedded XML document"),
    ];
    format!(
        "<rdf:li rdf:parseType=\"Resource\"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>\
         <pdfaSchema:namespaceURI>urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#</pdfaSchema:namespaceURI>\
         <pdfaSchema:prefix>fx</pdfaSchema:prefix><pdfaSchema:property><rdf:Seq>{}</rdf:Seq></pdfaSchema:property></rdf:li>",
        properties.concat()
    )
}

/// The table of places, where everything behind `from` has moved by `grown` bytes. Its entries have twenty bytes each (ISO 32000-1, 7.5.4).
fn moved(table: &str, from: usize, grown: usize) -> String {
    let entry = |line: &str| -> Option<String> {
        let place = line.get(..10)?.parse::<usize>().ok().filter(|place| *place > from)?;
        let is_used = line.len() >= 18 && line.as_bytes().get(17) == Some(&b'n');
        is_used.then(|| format!("{:010}{}", place + grown, &line[10..]))
    };
    table.split_inclusive('\n').map(|line| entry(line).unwrap_or_else(|| line.to_owned())).collect()
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    let at = bytes.get(from..)?.windows(what.len()).position(|window| window == what)?;
    Some(from + at)
}

fn rfind(bytes: &[u8], what: &[u8], before: usize) -> Option<usize> {
    bytes.get(..before)?.windows(what.len()).rposition(|window| window == what)
}

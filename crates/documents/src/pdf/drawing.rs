//! Pages that were laid out become PDF/A-3a and PDF/UA-1, by `krilla`, whose validator refuses what neither allows.
#![allow(clippy::float_arithmetic, reason = "places on a page, which are no amounts")]

use super::canvas::{Canvas, Element, Ink, InkId, Meaning, Node, Part, Placed};
use crate::Error;
use crate::colour::Colour;
use crate::typesetting::points;
use billing::invoice::Date;
use krilla::Data;
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::document::Document;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::{DateTime, Metadata, TextDirection};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, Node as TagNode, SpanTag, TableHeaderScope, Tag,
    TagGroup, TagKind, TagTree,
};
use std::collections::HashMap;
use std::num::NonZeroU16;

/// What a document says of itself.
pub struct About<'a> {
    pub title: &'a str,
    pub author: &'a str,
    pub subject: &'a str,
    /// A BCP 47 tag.
    pub language: &'a str,
    /// What tells the document from every other.
    pub id: &'a str,
    /// The day of issue: no clock is asked, so that the same invoice has the same bytes.
    pub date: Date,
}

/// A file that belongs to the document.
pub struct Attachment<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub bytes: Vec<u8>,
}

/// Draws the pages.
///
/// # Errors
/// [`Error::Pdf`] with every rule of PDF/A-3a or PDF/UA-1 that does not hold.
pub fn draw(
    canvas: &Canvas,
    structure: Vec<Element>,
    logo: Option<&Image>,
    about: &About<'_>,
    attachment: Option<Attachment<'_>>,
) -> Result<Vec<u8>, Error> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| Error::Pdf(format!("{error:?}")))?;
    let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    let mut by_page: Vec<Vec<(InkId, &Placed)>> = vec![Vec::new(); canvas.pages];
    for (number, placed) in canvas.placed.iter().enumerate() {
        by_page[placed.page].push((InkId(number), placed));
    }
    let mut identifiers = HashMap::new();
    let (width, height) = (points(canvas.paper.width), points(canvas.paper.height));
    for placed in by_page {
        let settings = PageSettings::from_wh(width, height)
            .ok_or_else(|| Error::Pdf("a page without size".to_owned()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for (id, placed) in placed {
            let identifier = surface.start_tagged(content_tag(placed.part));
            ink(&mut surface, placed, logo);
            surface.end_tagged();
            if placed.part == Part::Content {
                identifiers.insert(id.0, identifier);
            }
        }
        surface.finish();
        page.finish();
    }
    document.set_metadata(metadata(about, canvas.mirrored));
    document.set_outline(outline(&structure, canvas));
    let mut tree = TagTree::new().with_lang(Some(about.language.to_owned()));
    for element in structure {
        tree.push(group(element, &mut identifiers));
    }
    document.set_tag_tree(tree);
    if let Some(attachment) = attachment {
        embed(&mut document, attachment, about)?;
    }
    document.finish().map_err(|error| Error::Pdf(reasons(error)))
}

fn content_tag(part: Part) -> ContentTag<'static> {
    let kind = match part {
        Part::Content => return ContentTag::Span(SpanTag::empty()),
        Part::Header => ArtifactType::Header,
        Part::Footer => ArtifactType::Footer,
        Part::Pagination => ArtifactType::PaginationOther,
        Part::Ornament => ArtifactType::Layout,
    };
    ContentTag::Artifact(Artifact::with_kind(kind))
}

fn ink(surface: &mut Surface<'_>, placed: &Placed, logo: Option<&Image>) {
    let (x, y) = (points(placed.x), points(placed.y));
    match &placed.ink {
        Ink::Text { line, colour } => {
            surface.set_fill(Some(fill(*colour)));
            for run in &line.runs {
                let start = Point::from_xy(x + run.x, y + points(line.baseline));
                surface.draw_glyphs(
                    start,
                    &run.glyphs,
                    run.font.clone(),
                    &line.text,
                    points(line.size),
                    false,
                );
            }
        }
        Ink::Box { width, height, colour } => {
            surface.set_fill(Some(fill(*colour)));
            let mut path = PathBuilder::new();
            if let Some(rect) = Rect::from_xywh(x, y, points(*width), points(*height)) {
                path.push_rect(rect);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
        Ink::Logo { width, height } => {
            if let (Some(logo), Some(size)) = (logo, Size::from_wh(points(*width), points(*height))) {
                surface.push_transform(&Transform::from_translate(x, y));
                surface.draw_image(logo.clone(), size);
                surface.pop();
            }
        }
    }
}

fn fill(colour: Colour) -> Fill {
    let Colour(red, green, blue) = colour;
    Fill { paint: rgb::Color::new(red, green, blue).into(), opacity: NormalizedF32::ONE, ..Fill::default() }
}

fn group(element: Element, identifiers: &mut HashMap<usize, Identifier>) -> TagGroup {
    let tag: TagKind = match element.meaning {
        Meaning::Heading(level, title) => {
            Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(title)).into()
        }
        Meaning::Paragraph => Tag::P.into(),
        Meaning::Table(summary) => Tag::Table.with_summary(Some(summary)).into(),
        Meaning::TableHead => Tag::THead.into(),
        Meaning::TableBody => Tag::TBody.into(),
        Meaning::Row => Tag::TR.into(),
        Meaning::ColumnHeader => Tag::TH(TableHeaderScope::Column).into(),
        Meaning::RowHeader => Tag::TH(TableHeaderScope::Row).into(),
        Meaning::Cell => Tag::TD.into(),
        Meaning::Figure(alt) => Tag::Figure(Some(alt)).into(),
    };
    let mut group = TagGroup::new(tag);
    for node in element.nodes {
        match node {
            Node::Element(element) => group.push(self::group(element, identifiers)),
            // Each piece of content is in one element.
            Node::Ink(id) => {
                if let Some(identifier) = identifiers.remove(&id.0) {
                    group.push(TagNode::Leaf(identifier));
                }
            }
        }
    }
    group
}

/// The headings, each with its place.
fn outline(structure: &[Element], canvas: &Canvas) -> Outline {
    let mut outline = Outline::new();
    let mut open: Vec<&Element> = structure.iter().rev().collect();
    while let Some(element) = open.pop() {
        if let (Meaning::Heading(_, title), Some(Node::Ink(first))) =
            (&element.meaning, element.nodes.first())
        {
            let placed = &canvas.placed[first.0];
            let place = XyzDestination::new(placed.page, Point::from_xy(points(placed.x), points(placed.y)));
            outline.push_child(OutlineNode::new(title.clone(), place));
        }
        open.extend(element.nodes.iter().rev().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Ink(_) => None,
        }));
    }
    outline
}

fn metadata(about: &About<'_>, mirrored: bool) -> Metadata {
    let direction = if mirrored { TextDirection::RightToLeft } else { TextDirection::LeftToRight };
    Metadata::new()
        .title(about.title.to_owned())
        .description(about.subject.to_owned())
        .authors(vec![about.author.to_owned()])
        .creator("Proforma".to_owned())
        .producer("Proforma, krilla".to_owned())
        .language(about.language.to_owned())
        .document_id(about.id.to_owned())
        .creation_date(day(about.date))
        .text_direction(direction)
}

fn day(date: Date) -> DateTime {
    let month = date.month();
    // A day of a month is 1 to 31.
    let day = u8::try_from(date.days() - Date::first_of(month).days() + 1).unwrap_or(1);
    DateTime::new(month.year()).month(month.month()).day(day).hour(0).minute(0).second(0).utc_offset_hour(0)
}

fn embed(document: &mut Document, attachment: Attachment<'_>, about: &About<'_>) -> Result<(), Error> {
    let file = EmbeddedFile {
        path: attachment.name.to_owned(),
        mime_type: MimeType::new("text/xml"),
        description: Some(attachment.description.to_owned()),
        association_kind: AssociationKind::Alternative,
        data: Data::from(attachment.bytes),
        modification_date: Some(day(about.date)),
        compress: Some(true),
        location: None,
    };
    document.embed_file(file).ok_or_else(|| Error::Pdf("two attachments of one name".to_owned()))
}

fn reasons(error: krilla::error::KrillaError) -> String {
    match error {
        krilla::error::KrillaError::Validation(broken) => {
            let rules: Vec<String> = broken.into_iter().map(|(rule, _)| format!("{rule:?}")).collect();
            rules.join(", ")
        }
        other => other.to_string(),
    }
}

//! Lines of one billing group of a run, for an export, and files put where exports are wanted.

use crate::cli::{ExportFormat, ExportLayout, READ_COST_FILES};
use crate::export::{self, Priced, Wanted, with_coverage};
use crate::failure::Failure;
use crate::pricing::Rated;
use crate::publish::CUBE;
use crate::reader::{Children, reading_failed};
use crate::resale::needs_lines;
use crate::run_folder;
use anyhow::{Context, anyhow};
use back_office::engine::{Content, EngineError, ExportedLines, Lines, LinesOrder, PutFile};
use billing::statement;
use cost_data::location::Location;
use cost_data::reading::Request;
use cost_data::worker::{self, ExportOrder};
use export_query::Table;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// How the column of resources is called in every layout.
const RESOURCES: &str = "line_item_resource_id";

/// Exports the lines.
pub fn export_lines(path: &Path, order: &LinesOrder, children: &Children) -> Result<ExportedLines, Failure> {
    let mut run = run_folder::open(path)?;
    needs_lines(&run, "no lines that could be exported")?;
    let Rated { card, charges, .. } = run.rate()?;
    let statements = statement::statements(&run.cube, &run.book, &card, &charges)?;
    let priced = Priced::of(&run, &card, &statements)?;
    let format = if order.is_parquet { ExportFormat::Parquet } else { ExportFormat::Csv };
    let groups = [order.billing_group.clone()];
    let wanted = Wanted { layout: layout(&order.lines), format: Some(format), groups: &groups };
    let mut plan = export::plan(&priced, &wanted)?;
    // The groups below it have views of their own.
    for group in plan.groups.iter_mut().filter(|group| group.name != order.billing_group) {
        group.folder = None;
    }
    match &order.lines {
        Lines::Query(query) => plan.query = Some(query.clone()),
        Lines::LegacyReport { with_resources: false } => plan.left_out = vec![RESOURCES.to_owned()],
        Lines::LegacyReport { with_resources: true } => {}
    }
    let request = Request {
        threads: children.threads(),
        accept_rejects: run.accepted_rejects,
        scratch: children.scratch.clone(),
        dimensions: (&run.cube.dimensions).into(),
        ..Request::new(run.cost(&[]), run.period.to_string())
    };
    let limits = children.limits(&request.inputs)?;
    let covered = with_coverage(&mut plan, &priced, run.covered_lines()?, &order.folder)?;
    let folder = order.folder.join("lines");
    fs::create_dir(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let work = ExportOrder { request, cube: run.path.join(CUBE), plan, folder: folder.clone() };
    let exported = worker::export(&children.program()?, READ_COST_FILES, work, limits, &mut |_| ());
    drop(covered);
    let report = exported.map_err(|error| reading_failed(error, run.accepted_rejects))?;
    let file = report.files.into_iter().next();
    let file = file.ok_or_else(|| anyhow!("billing group `{}` has no file", order.billing_group))?;
    Ok(ExportedLines { file: folder.join(file.name), rows: file.rows, columns: file.columns })
}

const fn layout(lines: &Lines) -> ExportLayout {
    match lines {
        Lines::LegacyReport { .. } => ExportLayout::Cur,
        Lines::Query(query) => match query.table {
            Table::CostAndUsageReport => ExportLayout::Cur2,
            Table::Focus12 => ExportLayout::Focus,
        },
    }
}

/// Puts files below a place.
pub fn put(place: &Path, files: &[PutFile], outdated: &[String]) -> Result<(), EngineError> {
    let refused = |problem: String| EngineError::Input(vec![problem]);
    match Location::parse(place).map_err(|problem| refused(problem.to_string()))? {
        Location::Local(folder) => {
            files.iter().try_for_each(|file| put_on_disk(&folder, file))?;
            for name in outdated {
                match fs::remove_file(folder.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        return Err(of_disk(&folder.join(name), &error));
                    }
                    _ => {}
                }
            }
            Ok(())
        }
        store => {
            files.iter().try_for_each(|file| put_on_store(&store.join(&file.name), file))?;
            outdated.iter().try_for_each(|name| {
                let place = store.join(name);
                let Location::Object(object) = &place else { return Ok(()) };
                object.delete().map_err(|error| refused(place.problem(&error).to_string()))
            })
        }
    }
}

/// Writes a file beside its place, forces it to the disk, and gives it its name. The folders on the way are made; none of them may be a link that leads elsewhere.
fn put_on_disk(root: &Path, file: &PutFile) -> Result<(), EngineError> {
    let target = root.join(&file.name);
    let failed = |error: io::Error| of_disk(&target, &error);
    let real_root = fs::canonicalize(root).map_err(|error| {
        EngineError::Input(vec![format!(
            "the folder of the bucket, `{}`, cannot be opened: {error}",
            root.display()
        )])
    })?;
    let parent = target.parent().unwrap_or(root);
    fs::create_dir_all(parent).map_err(failed)?;
    let real = fs::canonicalize(parent).map_err(failed)?;
    if !real.starts_with(&real_root) {
        let problem = format!(
            "`{}` leads out of the folder of the bucket by a link; remove the link",
            parent.display()
        );
        return Err(EngineError::Input(vec![problem]));
    }
    let name = target.file_name().unwrap_or_default();
    // One at a time delivers an export's month: what one that was killed has left is written over.
    let partial = real.join(format!(".{}.partial", name.to_string_lossy()));
    let written = write_to(&partial, &file.content).and_then(|()| fs::rename(&partial, real.join(name)));
    if written.is_err() {
        // Whoever delivers next writes over it.
        let _ = fs::remove_file(&partial);
    }
    written.and_then(|()| force_folders(&real, &real_root)).map_err(failed)
}

fn write_to(path: &Path, content: &Content) -> io::Result<()> {
    let mut file = File::create(path)?;
    match content {
        Content::File(source) => io::copy(&mut File::open(source)?, &mut file).map(drop)?,
        Content::Bytes(bytes) => file.write_all(bytes)?,
    }
    file.sync_all()
}

/// Forces a folder and those above it up to the root to the disk: a name is lost with its folder.
fn force_folders(folder: &Path, root: &Path) -> io::Result<()> {
    folder
        .ancestors()
        .take_while(|above| above.starts_with(root))
        .try_for_each(|above| File::open(above)?.sync_all())
}

fn put_on_store(place: &Location, file: &PutFile) -> Result<(), EngineError> {
    let Location::Object(object) = place else { return Ok(()) };
    let sent = match &file.content {
        Content::Bytes(bytes) => object.put(&mut bytes.as_slice(), bytes.len() as u64, false),
        Content::File(path) => {
            let open = || -> io::Result<(File, u64)> {
                let file = File::open(path)?;
                let bytes = file.metadata()?.len();
                Ok((file, bytes))
            };
            let (mut file, bytes) = open().map_err(|error| of_disk(path, &error))?;
            object.put(&mut file, bytes, false)
        }
    };
    sent.map_err(|error| EngineError::Failed(place.problem(&error).to_string()))
}

fn of_disk(path: &Path, error: &io::Error) -> EngineError {
    EngineError::Disk(format!("`{}` cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    //! Files in folders.

    use super::*;

    fn file(name: &str, text: &str) -> PutFile {
        PutFile { name: name.to_owned(), content: Content::Bytes(text.as_bytes().to_vec()) }
    }

    #[test]
    fn files_are_put_whole_and_within_their_folder() {
        let folder = tempfile::TempDir::new().unwrap();
        let (root, elsewhere) = (folder.path().join("bucket"), folder.path().join("elsewhere"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&elsewhere).unwrap();
        put(&root, &[file("a/b/one", "1"), file("a/b/two", "2")], &["a/b/none".to_owned()]).unwrap();
        put(&root, &[file("a/b/one", "3")], &["a/b/two".to_owned()]).unwrap();
        let names: Vec<std::path::PathBuf> =
            fs::read_dir(root.join("a/b")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(names, [root.join("a/b/one")]);
        assert_eq!(fs::read_to_string(root.join("a/b/one")).unwrap(), "3");
        std::os::unix::fs::symlink(&elsewhere, root.join("link")).unwrap();
        assert!(matches!(put(&root, &[file("link/x", "1")], &[]), Err(EngineError::Input(_))));
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        assert!(matches!(put(&root.join("gone"), &[file("x", "1")], &[]), Err(EngineError::Input(_))));
    }
}

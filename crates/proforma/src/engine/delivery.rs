//! Lines of one billing group of a run, for an export, and files put where exports are wanted.

use super::rereading;
use crate::cli::{ExportFormat, ExportLayout, READ_COST_FILES};
use crate::export::{self, Priced, Wanted, view_parts, with_coverage};
use crate::failure::{Failure, HINT_AGAIN};
use crate::pricing::Rated;
use crate::publish::CUBE;
use crate::reader::{Children, reading_failed};
use crate::resale::needs_lines;
use crate::run_folder::{self, RunFolder};
use anyhow::{Context, anyhow};
use back_office::engine::{Content, EngineError, ExportedLines, Lines, LinesOf, LinesOrder, PutFile};
use billing::breakdown::Days;
use billing::statement;
use cost_data::export::plan::Plan;
use cost_data::location::Location;
use cost_data::worker::{self, ExportOrder};
use export_query::Table;
use query::facts::{self, MonthFacts};
use query::lines;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// How what is written beside a file ends until it gets the file's name.
const PARTIAL: &str = ".partial";

/// How the column of resources is called in every layout.
const RESOURCES: &str = "line_item_resource_id";

/// Exports the lines.
pub fn export_lines(path: &Path, order: &LinesOrder, children: &Children) -> Result<ExportedLines, Failure> {
    let mut run = run_folder::open(path)?;
    needs_lines(&run, "no lines that could be exported")?;
    let Rated { card, charges, .. } = run.rate()?;
    let statements = statement::statements(&run.cube, &run.book, &card, &charges)?;
    let priced = Priced::of(&run, &card, &statements)?;
    let mut plan = plan(&run, &priced, order)?;
    match &order.lines {
        Lines::Query(query) => {
            plan.granularity = query.granularity;
            plan.left_out.clone_from(&query.without);
            plan.query = Some(query.clone());
        }
        Lines::LegacyReport { with_resources, granularity } => {
            plan.granularity = *granularity;
            if !with_resources {
                plan.left_out = vec![RESOURCES.to_owned()];
            }
        }
    }
    let (request, limits) = rereading(&run, children)?;
    let covered = with_coverage(&mut plan, &priced, run.covered_lines()?, &order.folder)?;
    let folder = order.folder.join("lines");
    fs::create_dir(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let work = ExportOrder { request, cube: run.path.join(CUBE), plan, folder: folder.clone() };
    let exported = worker::export(&children.program()?, READ_COST_FILES, work, limits, &mut |_| ());
    drop(covered);
    let report = exported.map_err(|error| reading_failed(error, run.accepted_rejects))?;
    let file = report.files.into_iter().next();
    let file = file.ok_or_else(|| anyhow!("the export has no file"))?;
    Ok(ExportedLines { file: folder.join(file.name), rows: file.rows, columns: file.columns })
}

/// The plan of what is ordered: the lines of one billing group, or of a custom view.
fn plan(run: &RunFolder, priced: &Priced<'_>, order: &LinesOrder) -> Result<Plan, Failure> {
    let format = Some(if order.is_parquet { ExportFormat::Parquet } else { ExportFormat::Csv });
    let layout = layout(&order.lines);
    match &order.of {
        LinesOf::BillingGroup(name) => {
            let groups = [name.clone()];
            let mut plan = export::plan(priced, &Wanted { layout, format, groups: &groups })?;
            // The groups below it have views of their own.
            for group in plan.groups.iter_mut().filter(|group| group.name != *name) {
                group.folder = None;
            }
            Ok(plan)
        }
        LinesOf::View { scopes, categories } => {
            let mut plan = export::plan(priced, &Wanted { layout, format, groups: &[] })?;
            let classes = run.days()?;
            let covered = priced.coverage.map_or(&[][..], |coverage| &coverage.days);
            let month = facts::Priced {
                cube: priced.cube,
                book: priced.book,
                card: priced.card,
                statements: priced.statements,
                days: classes.as_deref().map(|classes| Days { classes, covered }),
                commitments: None,
            };
            let known = MonthFacts::with_sources(month);
            let (facts, sources) =
                known.map_err(|error| Failure::input(error.to_string()).hint(HINT_AGAIN))?;
            let facts = facts.with_categories(categories);
            let seen = scopes.iter().map(|scope| lines::seen(&facts, &sources, scope));
            let seen = seen.collect::<Result<Vec<_>, _>>();
            let seen = seen.map_err(|error| Failure::input(error.to_string()))?;
            view_parts::put_into(&mut plan, priced, &seen)?;
            Ok(plan)
        }
    }
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
            outdated.iter().try_for_each(|name| remove_from_disk(&folder, name))
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

/// Writes a file beside its place, forces it to the disk, and gives it its name.
fn put_on_disk(root: &Path, file: &PutFile) -> Result<(), EngineError> {
    let target = root.join(&file.name);
    let failed = |error: io::Error| of_disk(&target, &error);
    let real_root = real_root(root)?;
    let real = made_within(&real_root, Path::new(&file.name).parent().unwrap_or(Path::new("")))?;
    let name = target.file_name().unwrap_or_default();
    let hidden = format!(".{}.", name.to_string_lossy());
    // One at a time delivers an export's month: what one that was killed has left goes, and whoever still writes to it, because it was away for long, finds nothing to give the name to.
    remove_partials(&real, &hidden).map_err(failed)?;
    let make = |path: &Path| File::create_new(path);
    let partial = tempfile::Builder::new().prefix(&hidden).suffix(PARTIAL).make_in(&real, make);
    let mut partial = partial.map_err(failed)?;
    write_to(partial.as_file_mut(), &file.content).map_err(failed)?;
    partial.persist(real.join(name)).map_err(|refused| failed(refused.error))?;
    force_folders(&real, &real_root).map_err(failed)
}

/// Removes what was written beside a file and never got its name.
fn remove_partials(folder: &Path, hidden: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(hidden) && name.ends_with(PARTIAL) {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

fn real_root(root: &Path) -> Result<PathBuf, EngineError> {
    fs::canonicalize(root).map_err(|error| {
        let problem = format!("the folder of the bucket, `{}`, cannot be opened: {error}", root.display());
        EngineError::Input(vec![problem])
    })
}

/// A folder below a root, made where it is not there: one part after the other, so that nothing is made beyond a link that leads elsewhere.
fn made_within(real_root: &Path, folder: &Path) -> Result<PathBuf, EngineError> {
    let mut real = real_root.to_owned();
    for part in folder {
        let next = real.join(part);
        let failed = |error: io::Error| of_disk(&next, &error);
        match fs::create_dir(&next) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => real = fs::canonicalize(&next).map_err(failed)?,
        }
        if !real.starts_with(real_root) {
            let problem = format!(
                "`{}` leads out of the folder of the bucket by a link; remove the link",
                next.display()
            );
            return Err(EngineError::Input(vec![problem]));
        }
    }
    Ok(real)
}

/// Removes what an earlier delivery has left, where it is there and within the folder of the bucket.
fn remove_from_disk(root: &Path, name: &str) -> Result<(), EngineError> {
    let place = root.join(name);
    let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let folder = match fs::canonicalize(place.parent().unwrap_or(root)) {
        Err(error) if is_gone(&error) => return Ok(()),
        folder => folder.map_err(|error| of_disk(&place, &error))?,
    };
    if !folder.starts_with(real_root(root)?) {
        return Ok(());
    }
    match fs::remove_file(folder.join(place.file_name().unwrap_or_default())) {
        Err(error) if !is_gone(&error) => Err(of_disk(&place, &error)),
        _ => Ok(()),
    }
}

fn write_to(file: &mut File, content: &Content) -> io::Result<()> {
    match content {
        Content::File(source) => io::copy(&mut File::open(source)?, file).map(drop)?,
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
        let names: Vec<PathBuf> =
            fs::read_dir(root.join("a/b")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(names, [root.join("a/b/one")]);
        assert_eq!(fs::read_to_string(root.join("a/b/one")).unwrap(), "3");
        // What somebody else was writing beside it goes; what is beside another one stays.
        fs::write(root.join("a/b/.one.0123.partial"), "torn").unwrap();
        fs::write(root.join("a/b/.other.0123.partial"), "going on").unwrap();
        put(&root, &[file("a/b/one", "3")], &[]).unwrap();
        assert!(
            !root.join("a/b/.one.0123.partial").exists() && root.join("a/b/.other.0123.partial").exists()
        );
        std::os::unix::fs::symlink(&elsewhere, root.join("link")).unwrap();
        fs::write(elsewhere.join("kept"), "kept").unwrap();
        assert!(matches!(put(&root, &[file("link/x", "1")], &[]), Err(EngineError::Input(_))));
        assert!(matches!(put(&root, &[file("link/deeper/x", "1")], &[]), Err(EngineError::Input(_))));
        // Neither is a folder made there, nor is something removed, nor written through a link in the place of a file.
        put(&root, &[], &["link/kept".to_owned()]).unwrap();
        std::os::unix::fs::symlink(elsewhere.join("kept"), root.join("a/.one.partial")).unwrap();
        std::os::unix::fs::symlink(elsewhere.join("kept"), root.join("a/one")).unwrap();
        put(&root, &[file("a/one", "4")], &[]).unwrap();
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(elsewhere.join("kept")).unwrap(), "kept");
        assert_eq!(fs::read_to_string(root.join("a/one")).unwrap(), "4");
        assert!(matches!(put(&root.join("gone"), &[file("x", "1")], &[]), Err(EngineError::Input(_))));
    }
}

//! `proforma serve`: answers AWS's API until it is told to stop.

use super::data::Data;
use super::settings::{File, Settings};
use crate::cli::desk::ServeArguments;
use crate::failure::Failure;
use anyhow::Context;
use aws_api::http::{Health, Metrics, ServerOptions, router};
use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Address, Handle, Server};
use back_office::clock::Clock;
use back_office::desk::BackOffice;
use billing::account::AccountId;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const SIGNATURE_MINUTES: u16 = 5;
const SIGNATURE_MINUTES_MAX: u16 = 15;
const RATE: u32 = 1_000;
const CONCURRENCY: usize = 256;
const ARRIVAL: Duration = Duration::from_secs(60);
/// What of a request's head is kept while the rest is on its way: a path with its query, and headers.
const HEAD_BYTES_MAX: usize = 256 * 1024;
/// How long requests that are being answered are waited for.
const DRAIN: Duration = Duration::from_secs(10);
/// How often the places are looked at that AWS goes on writing to.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A day, after which client tokens that are old enough are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(86_400);
/// The free space below which the server says that it is not ready.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// Serves until a signal.
pub fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    log_as_json();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serving(arguments))
}

async fn serving(arguments: &ServeArguments) -> Result<(), Failure> {
    let settings = Settings::of(&arguments.place)?;
    let clock = arguments
        .now
        .as_deref()
        .map(super::output::instant)
        .transpose()?
        .map_or(Clock::Machine, Clock::Fixed);
    let file = &settings.file;
    let options = options_of(arguments, file)?;
    let roots = match arguments.cost_roots.is_empty() {
        true => file.cost_roots.clone(),
        false => arguments.cost_roots.clone(),
    };
    let data = Data::open(&settings, clock, Some(roots)).await?;
    if let Some(payer) = &arguments.payer {
        let payer = AccountId::parse(payer).filter(AccountId::has_twelve_digits);
        let payer = payer.ok_or_else(|| Failure::input("a payer account has twelve digits"))?;
        if let Some(first) = data.begin(&payer).await? {
            super::output::first_key(&first, crate::cli::desk::DeskOutput::Table)?;
        }
    }
    let arrival = options.arrival;
    keep_many_connections();
    let health = Arc::new(Ready { desk: data.desk().clone(), data: data.folder.clone() });
    let app = router(data.api.clone(), options, Arc::new(Metrics::default()), health);
    let (stop, stopped) = watch::channel(false);
    let audit = tokio::spawn(keep_audit(data.desk().clone(), stopped.clone()));
    let mut workers = vec![tokio::spawn(look_around(data.desk().clone(), stopped.clone()))];
    if !arguments.no_runs {
        let (desk, stopped) = (data.desk().clone(), stopped.clone());
        workers.push(tokio::spawn(async move { desk.work(stopped).await }));
    }
    let handle = Handle::new();
    tokio::spawn(drain_at_signal(handle.clone()));
    let address = arguments.listen.or(file.listen).unwrap_or(LISTEN);
    let tls = arguments.tls_cert.clone().or_else(|| file.tls_cert.clone());
    let tls = tls.zip(arguments.tls_key.clone().or_else(|| file.tls_key.clone()));
    let served = match tls {
        None => {
            tokio::spawn(say_address(handle.clone(), "http"));
            let server = guarded(axum_server::bind(address), arrival);
            server.handle(handle).serve(app.into_make_service()).await
        }
        Some((cert, key)) => {
            let config = RustlsConfig::from_pem_file(&cert, &key).await;
            let config = config.with_context(|| format!("`{}` and `{}`", cert.display(), key.display()))?;
            let mut only_http1 = config.get_inner().as_ref().clone();
            only_http1.alpn_protocols = vec![b"http/1.1".to_vec()];
            config.reload_from_config(Arc::new(only_http1));
            tokio::spawn(say_address(handle.clone(), "https"));
            let server = guarded(axum_server::bind_rustls(address, config), arrival);
            server.handle(handle).serve(app.into_make_service()).await
        }
    };
    // A run that goes on is given up: its claim passes, and the next server takes it up again.
    let _ = stop.send(true);
    workers.iter().for_each(tokio::task::JoinHandle::abort);
    let _ = audit.await;
    data.desk().store().close().await;
    served.with_context(|| format!("cannot serve at {address}"))?;
    tracing::info!("stopped");
    Ok(())
}

/// How the server answers: flags, then the file.
fn options_of(arguments: &ServeArguments, file: &File) -> Result<ServerOptions, Failure> {
    let minutes = arguments.signature_minutes.or(file.signature_minutes).unwrap_or(SIGNATURE_MINUTES);
    if minutes == 0 || minutes > SIGNATURE_MINUTES_MAX {
        return Err(Failure::input(format!("signatures may be {minutes} minutes off"))
            .hint(format!("give 1 to {SIGNATURE_MINUTES_MAX} minutes")));
    }
    Ok(ServerOptions {
        signature_window_seconds: i64::from(minutes) * 60,
        rate_per_second: arguments.rate.or(file.rate).unwrap_or(RATE),
        concurrency: arguments.concurrency.or(file.concurrency).unwrap_or(CONCURRENCY),
        arrival: arguments
            .arrival_seconds
            .or(file.arrival_seconds)
            .map_or(ARRIVAL, |seconds| Duration::from_secs(seconds.max(1))),
    })
}

/// A server that ends connections on which no request arrives. It speaks HTTP/1.1 alone: what AWS's clients speak, and the version whose
/// `host` header they sign.
fn guarded<A: Address, Acceptor>(server: Server<A, Acceptor>, arrival: Duration) -> Server<A, Acceptor> {
    let mut server = server.http1_only();
    server.http_builder().http1().header_read_timeout(arrival).max_buf_size(HEAD_BYTES_MAX);
    server
}

/// Lets the process have as many connections as the system allows it; where it allows no more, those that it has must do.
fn keep_many_connections() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

async fn keep_audit(desk: BackOffice, stopped: watch::Receiver<bool>) {
    desk.keep_audit(stopped).await;
}

/// Looks after what comes by itself: cost files that AWS has rewritten, tokens that are too old.
async fn look_around(desk: BackOffice, mut stopped: watch::Receiver<bool>) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut forget = tokio::time::interval(FORGET_EVERY);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = look.tick() => if let Err(error) = desk.look_at_sources().await {
                tracing::warn!(?error, "the sources of cost files could not be looked at");
            },
            _ = forget.tick() => if let Err(error) = desk.forget_tokens().await {
                tracing::warn!(?error, "old client tokens could not be forgotten");
            },
        }
    }
}

/// Says where the server answers, once it does: on standard output, for whoever started it.
async fn say_address(handle: Handle<SocketAddr>, scheme: &str) {
    if let Some(address) = handle.listening().await {
        let mut out = std::io::stdout().lock();
        // Nobody listening is no reason to stop.
        let _ = writeln!(out, "listening on {scheme}://{address}");
        let _ = out.flush();
        tracing::info!(%address, "listening");
    }
}

async fn drain_at_signal(handle: Handle<SocketAddr>) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    handle.graceful_shutdown(Some(DRAIN));
}

/// Logs as lines of JSON on standard error; how much, `RUST_LOG` says.
fn log_as_json() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(std::io::stderr);
    // Another one in the same process goes on.
    let _ = subscriber.with_env_filter(filter).try_init();
}

/// Whether the store answers and there is room to write.
struct Ready {
    desk: BackOffice,
    data: PathBuf,
}

impl Health for Ready {
    fn problem(&self) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>> {
        Box::pin(async {
            if self.desk.store().ping().await.is_err() {
                return Some("the database does not answer".to_owned());
            }
            let free = rustix::fs::statvfs(&self.data).ok().map(|of| of.f_bavail.saturating_mul(of.f_frsize));
            match free {
                Some(free) if free < FREE_BYTES_MIN => {
                    Some("the disk of the data directory is full".to_owned())
                }
                Some(_) => None,
                None => Some("the data directory cannot be read".to_owned()),
            }
        })
    }
}

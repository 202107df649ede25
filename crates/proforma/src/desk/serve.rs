//! `proforma serve`: answers AWS's API until it is told to stop.

use super::data::Data;
use super::organization_reader::ServerReader;
use super::settings::{Serving, Settings};
use crate::cli::desk::{DeskOutput, ServeArguments};
use crate::failure::Failure;
use anyhow::Context;
use aws_api::http::{Entrance, Health, ServerOptions};
use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Address, Handle, Server};
use back_office::desk::BackOffice;
use back_office::organization_sync::{OrganizationReader, Readings};
use back_office::outbox::Retry;
use back_office::outbox::courier::Couriers;
use back_office::principals::OTHER_MASTER_KEY;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What of a request's head is kept while the rest is on its way: a path with its query, and headers.
const HEAD_BYTES_MAX: usize = 256 * 1024;
/// How long requests that are being answered are waited for: the server has ended ten seconds after it is told to.
const DRAIN: Duration = Duration::from_secs(8);
/// What the database has of the ten seconds at least, and what it has when all requests end at once, to let go of its connections.
const LET_GO: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(9));
/// How often the places are looked at that AWS goes on writing to.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// A day, after which client tokens that are old enough are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(86_400);
/// The free space below which the server says that it is not ready.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// How long the database may take to give a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// Serves until a signal.
pub fn serve(arguments: &ServeArguments) -> Result<(), Failure> {
    log_as_json();
    let (settings, serving) = Settings::of_server(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(served(&settings, serving, !arguments.no_runs));
    // A month that is being read is given up: its claim passes, and the next server takes the run up again.
    runtime.shutdown_background();
    served
}

async fn served(settings: &Settings, serving: Serving, prices: bool) -> Result<(), Failure> {
    let couriers = couriers(&serving)?;
    let address = serving.listen;
    let cannot = || format!("cannot serve at {address}");
    let listener = TcpListener::bind(address).await.with_context(cannot)?;
    let address = listener.local_addr().with_context(cannot)?;
    let scheme = if serving.tls.is_some() { "https" } else { "http" };
    // Before anything else: a server that does not hear them cannot be stopped.
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (entrance, handle) = (Entrance::default(), Handle::new());
    let mut server = listen(listener, &serving, &entrance, &handle)?;
    let told = Arc::new(OnceLock::new());
    tokio::spawn(drain_at_signal(handle, signals, told.clone()));
    // It listens already: whoever asks meanwhile is told that it is not ready yet.
    let mut opening = std::pin::pin!(Data::open(settings, serving.clock));
    let data = tokio::select! {
        opened = &mut opening => opened?,
        ended = &mut server => {
            // What is open by now is closed again, if it comes to that soon.
            if let Ok(Ok(data)) = tokio::time::timeout(LET_GO.0, opening).await {
                data.close().await;
            }
            return Ok(ended?.with_context(cannot)?);
        }
    };
    if let Err(failure) = begin(&data, &serving).await {
        data.close().await;
        return Err(failure);
    }
    let options = ServerOptions {
        signature_window_seconds: i64::from(serving.signature_minutes) * 60,
        rate_per_second: serving.rate,
        concurrency: serving.concurrency,
        arrival: serving.arrival,
        public_url: serving.public_url.clone(),
        scheme,
    };
    let health = Arc::new(Ready { desk: data.desk().clone(), data: data.folder.clone() });
    entrance.open(data.api.clone(), options, health);
    say_address(address, scheme);
    let (stop, stopped) = watch::channel(false);
    let (desk, until) = (data.desk().clone(), stopped.clone());
    let audit = tokio::spawn(async move { desk.keep_audit(until).await });
    let sending = couriers.map(|(couriers, retry)| {
        let (desk, until) = (data.desk().clone(), stopped.clone());
        tokio::spawn(async move { desk.send_messages(couriers, retry, until).await })
    });
    let workers = workers(&data, &serving, prices, &stopped);
    let ended = server.await;
    let _ = stop.send(true);
    workers.iter().for_each(JoinHandle::abort);
    let drained = told.get().map_or(Duration::ZERO, Instant::elapsed);
    let let_go = LET_GO.1.saturating_sub(drained).max(LET_GO.0);
    if tokio::time::timeout(let_go, async {
        let _ = audit.await;
        if let Some(sending) = sending {
            let _ = sending.await;
        }
        data.close().await;
    })
    .await
    .is_err()
    {
        tracing::warn!("the database has not let go in time");
    }
    ended?.with_context(cannot)?;
    tracing::info!("stopped");
    Ok(())
}

/// Who looks after what comes by itself and follows organizations, and where it `prices`, who prices months and delivers exports of them.
fn workers(
    data: &Data,
    serving: &Serving,
    prices: bool,
    stopped: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let reader: Arc<dyn OrganizationReader> = Arc::new(ServerReader {
        data: data.folder.clone(),
        profiles: serving.organization_profiles.clone(),
        endpoint: serving.organization_endpoint.clone(),
        time_limit: serving.organization_time_limit,
    });
    let mut workers = vec![
        tokio::spawn(look_around(data.desk().clone(), stopped.clone())),
        tokio::spawn(follow_organizations(data.desk().clone(), reader, stopped.clone())),
    ];
    if prices {
        let (desk, until) = (data.desk().clone(), stopped.clone());
        workers.push(tokio::spawn(async move { desk.work_exports(until).await }));
        let (desk, until) = (data.desk().clone(), stopped.clone());
        workers.push(tokio::spawn(async move { desk.work(until).await }));
    }
    workers
}

/// Who sends what is in the outbox here, and how often it is tried.
fn couriers(serving: &Serving) -> Result<Option<(Couriers, Retry)>, Failure> {
    let Some(outgoing) = &serving.outgoing else { return Ok(None) };
    if outgoing.mail.is_none() {
        tracing::info!("no mail is sent here: there is no --smtp-url");
    }
    Ok(Some((outgoing.couriers()?, outgoing.retry)))
}

/// Makes the payer that the server is to have, where it is not there, and shows its first key.
async fn begin(data: &Data, serving: &Serving) -> Result<(), Failure> {
    if let Some(payer) = &serving.payer
        && let Some(first) = data.begin(payer).await?
    {
        super::output::first_key(&first, DeskOutput::Table)?;
    }
    Ok(())
}

/// Answers at an address, in a task of its own, until `handle` ends it.
fn listen(
    listener: TcpListener,
    serving: &Serving,
    entrance: &Entrance,
    handle: &Handle<SocketAddr>,
) -> Result<JoinHandle<std::io::Result<()>>, Failure> {
    keep_many_connections();
    let (listener, handle) = (listener.into_std()?, handle.clone());
    let app = entrance.router().into_make_service();
    Ok(match &serving.tls {
        None => {
            let server = guarded(axum_server::from_tcp(listener)?, serving.arrival).handle(handle);
            tokio::spawn(async move { server.serve(app).await })
        }
        Some(tls) => {
            let tls = RustlsConfig::from_config(tls.clone());
            let server =
                guarded(axum_server::from_tcp_rustls(listener, tls)?, serving.arrival).handle(handle);
            tokio::spawn(async move { server.serve(app).await })
        }
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

/// Looks after what comes by itself: cost files that AWS has rewritten, tokens that are too old.
async fn look_around(desk: BackOffice, mut stopped: watch::Receiver<bool>) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut told = tokio::time::interval(LOOK_EVERY);
    let mut forget = tokio::time::interval(FORGET_EVERY);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = look.tick() => if let Err(error) = desk.look_at_sources().await {
                tracing::warn!(?error, "the sources of cost files could not be looked at");
            },
            _ = told.tick() => {
                // Each payer that could not be looked at is in the log.
                let _ = desk.look_at_purchase_orders().await;
                let _ = desk.run_schedules().await;
                let _ = desk.look_at_budgets().await;
                let _ = desk.send_saved_reports().await;
            }
            () = desk.costs_changed() => {
                let _ = desk.look_at_budgets().await;
            }
            _ = forget.tick() => {
                if let Err(error) = desk.forget_tokens().await {
                    tracing::warn!(?error, "old client tokens could not be forgotten");
                }
                if let Err(error) = desk.forget_old().await {
                    tracing::warn!(?error, "what was kept for long enough could not be removed");
                }
            }
        }
    }
}

/// Has organizations read when they are due, and lets billing groups follow; nobody waits for a reading, which takes as long as AWS takes to answer.
async fn follow_organizations(
    desk: BackOffice,
    reader: Arc<dyn OrganizationReader>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut readings = Readings::default();
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = look.tick() => {
                if let Err(error) = desk.sync_organizations(&reader, &mut readings).await {
                    tracing::warn!(?error, "the organizations could not be looked at");
                }
                if let Err(error) = desk.follow_organizations().await {
                    tracing::warn!(?error, "billing groups could not follow their organizations");
                }
            }
        }
    }
}

/// Says where the server answers, once it does: on standard output, for whoever started it.
fn say_address(address: SocketAddr, scheme: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody listening is no reason to stop.
    let _ = writeln!(out, "listening on {scheme}://{address}");
    let _ = out.flush();
    tracing::info!(%address, "listening");
}

async fn drain_at_signal(
    handle: Handle<SocketAddr>,
    (mut terminate, mut interrupt): (Signal, Signal),
    told: Arc<OnceLock<Instant>>,
) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    told.get_or_init(Instant::now);
    handle.graceful_shutdown(Some(DRAIN));
}

/// Logs as lines of JSON on standard error; how much, `RUST_LOG` says.
fn log_as_json() {
    let wanted = std::env::var("RUST_LOG").ok().and_then(|wanted| wanted.parse().ok());
    let wanted = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
    // Another one in the same process goes on.
    let _ = tracing_subscriber::registry().with(lines.with_filter(wanted)).try_init();
}

/// Whether the store answers and there is room to write.
struct Ready {
    desk: BackOffice,
    data: PathBuf,
}

impl Health for Ready {
    fn problem(&self) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>> {
        Box::pin(async {
            let sign = tokio::time::timeout(SIGN_OF_LIFE, self.desk.store().ping()).await;
            let key = tokio::time::timeout(SIGN_OF_LIFE, self.desk.has_the_master_key()).await;
            match (sign, key) {
                (Ok(Ok(())), Ok(Ok(true))) => {}
                (Ok(Ok(())), Ok(Ok(false))) => return Some(OTHER_MASTER_KEY.to_owned()),
                _ => return Some("the database does not answer".to_owned()),
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

//! Mail by SMTP: a letter as text and as HTML, in which every character of it is escaped.

use anyhow::{Context, anyhow};
use back_office::outbox::Letter;
use back_office::outbox::courier::{Courier, Delivery, Handover, Parcel, Undelivered};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Tls, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::{Address, Message};
use reqwest::Url;
use std::fmt;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

/// How long it may take until there is a connection.
const CONNECT_MAX: Duration = Duration::from_secs(20);
/// How long the mail server may take for its greeting, for a command, and to read a mail. RFC 5321 (4.5.3.2) has five minutes for the longest of them;
/// nothing is lost by asking again before the mail is handed over.
const COMMAND_MAX: Duration = Duration::from_secs(300);
/// How long it may take for its answer to the end of a mail: RFC 5321 (4.5.3.2.6). Who gives up sooner gets a mail delivered twice.
const END_MAX: Duration = Duration::from_secs(600);
/// How much of a mail is written at once.
const PART_BYTES: usize = 64 * 1024;
/// By which mechanisms a password is sent, the better one first.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
/// Refusals of who sends, not of what: they end when somebody mends the settings. RFC 4954 (530, 534, 535, 538) and RFC 5321 (550 is of the mailbox).
const OF_SENDER: [u16; 4] = [530, 534, 535, 538];

/// How the connection to a mail server is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// TLS from the first byte.
    Tls,
    /// TLS once both sides have said that they can: a server that cannot gets nothing.
    StartTls,
    /// TLS where the server offers it.
    IfOffered,
    /// None.
    Nothing,
}

/// A mail server, and who sends.
#[derive(Clone)]
pub struct MailSettings {
    host: String,
    port: u16,
    cover: Cover,
    credentials: Option<(String, String)>,
    from: Mailbox,
}

impl fmt::Debug for MailSettings {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, cover, .. } = self;
        f.debug_struct("MailSettings")
            .field("host", host)
            .field("port", port)
            .field("cover", cover)
            .finish_non_exhaustive()
    }
}

impl MailSettings {
    /// A mail server by its URL: `smtps://user@host:465`, or `smtp://user@host:587`, which asks for STARTTLS unless `?tls=opportunistic` or `?tls=none`
    /// says otherwise.
    ///
    /// # Errors
    /// What is wrong, all of it; no password is repeated.
    pub fn parse(url: &str, from: Option<&str>, password: Option<String>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let from = match from.map(str::parse::<Mailbox>) {
            Some(Ok(from)) => Some(from),
            Some(Err(_)) => {
                problems.push(format!(
                    "mail is sent from `{}`, which is no address; write it as billing@example.com",
                    from.unwrap_or_default().escape_debug()
                ));
                None
            }
            None => {
                problems.push(
                    "--smtp-url needs --smtp-from (or PROFORMA_SMTP_FROM): the address that mail is sent from"
                        .to_owned(),
                );
                None
            }
        };
        let server = server(url, password).map_err(|problem| problems.push(problem)).ok();
        match (server, from) {
            (Some((host, port, cover, credentials)), Some(from)) => {
                Ok(Self { host, port, cover, credentials, from })
            }
            _ => Err(problems),
        }
    }
}

type Server = (String, u16, Cover, Option<(String, String)>);

fn server(text: &str, password: Option<String>) -> Result<Server, String> {
    const FORM: &str =
        "give it as smtp://user@host:587 or smtps://user@host:465, the password with --smtp-password-file";
    let url = Url::parse(text).map_err(|error| format!("--smtp-url is no URL ({error}); {FORM}"))?;
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| format!("--smtp-url names no host; {FORM}"))?.to_owned();
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    let (cover, port) = match (url.scheme(), tls.as_deref()) {
        ("smtps", None) => (Cover::Tls, 465),
        ("smtp", None | Some("required")) => (Cover::StartTls, 587),
        ("smtp", Some("opportunistic")) => (Cover::IfOffered, 25),
        ("smtp", Some("none")) => (Cover::Nothing, 25),
        ("smtp", Some(other)) => {
            return Err(format!("--smtp-url has tls=`{other}`; give required, opportunistic or none"));
        }
        (scheme, _) => return Err(format!("--smtp-url has scheme `{scheme}`; {FORM}")),
    };
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = (!url.username().is_empty()).then(|| decoded(url.username()));
    let password = password.or_else(|| url.password().map(decoded));
    let credentials = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => {
            return Err("--smtp-url has a user and no password; give it with --smtp-password-file".to_owned());
        }
        (None, Some(_)) => return Err(format!("there is a password for --smtp-url, and no user; {FORM}")),
    };
    let is_loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if credentials.is_some() && matches!(cover, Cover::Nothing | Cover::IfOffered) && !is_loopback {
        return Err(format!(
            "--smtp-url would send a password to `{host}` that others on the way could read; use smtps:// or tls=required"
        ));
    }
    Ok((host, url.port().unwrap_or(port), cover, credentials))
}

/// Mail through one server.
pub struct Mail {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    from: Mailbox,
}

impl Mail {
    /// Mail by settings. The server is not asked yet.
    ///
    /// # Errors
    /// Where the system's certificates cannot be read.
    pub fn new(settings: &MailSettings) -> anyhow::Result<Self> {
        let MailSettings { host, port, cover, credentials, from } = settings;
        let host = host.trim_matches(['[', ']']).to_owned();
        let parameters = || {
            TlsParameters::new_rustls(host.clone())
                .with_context(|| format!("TLS with the mail server `{host}` cannot be set up"))
        };
        let tls = match cover {
            Cover::Tls => Tls::Wrapper(parameters()?),
            Cover::StartTls => Tls::Required(parameters()?),
            Cover::IfOffered => Tls::Opportunistic(parameters()?),
            Cover::Nothing => Tls::None,
        };
        let credentials =
            credentials.as_ref().map(|(user, password)| Credentials::new(user.clone(), password.clone()));
        Ok(Self { host, port: *port, tls, credentials, from: from.clone() })
    }

    /// The mail of a parcel.
    ///
    /// # Errors
    /// Where its recipient is no address, or a file of it is of no known kind.
    fn mail(&self, parcel: &Parcel) -> anyhow::Result<Message> {
        let to: Address = parcel.recipient.parse().map_err(|_| anyhow!("the recipient is no address"))?;
        let letter = parcel.letter.neutralised();
        let written = u64::try_from(parcel.written_at).unwrap_or_default();
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.title.as_str())
            .date(UNIX_EPOCH + Duration::from_secs(written))
            .message_id(Some(format!("<{}@{}>", parcel.delivery, self.from.email.domain())))
            .header(AutoSubmitted);
        let body = MultiPart::alternative_plain_html(text_of(&letter), html_of(&letter));
        if parcel.attachments.is_empty() {
            return Ok(message.multipart(body)?);
        }
        let mut mixed = MultiPart::mixed().multipart(body);
        for file in &parcel.attachments {
            let kind = ContentType::parse(&file.media_type)
                .with_context(|| format!("`{}` is no media type", file.media_type.escape_debug()))?;
            mixed = mixed.singlepart(Attachment::new(file.name.clone()).body(file.bytes.clone(), kind));
        }
        Ok(message.multipart(mixed)?)
    }
}

/// Why a mail has not been taken, as far as the session tells.
enum Refused {
    /// The server has said so, or the session has broken off before the server had all of it.
    By(SmtpError),
    /// Nothing came in time.
    Silent(&'static str),
}

impl From<SmtpError> for Refused {
    fn from(error: SmtpError) -> Self {
        Self::By(error)
    }
}

impl Mail {
    /// A session in which a mail may be sent: covered as the settings say, and logged in.
    async fn session(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let name = ClientId::Domain(self.from.email.domain().to_owned());
        let at_once = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut session =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_MAX), &name, at_once, None).await?;
        match &self.tls {
            Tls::Opportunistic(parameters) if session.can_starttls() => {
                session.starttls(parameters.clone(), &name).await?;
            }
            Tls::Required(parameters) => session.starttls(parameters.clone(), &name).await?,
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            session.auth(&MECHANISMS, credentials).await?;
        }
        Ok(session)
    }

    /// A session that has the envelope of a mail and waits for the mail itself.
    async fn addressed(&self, mail: &Message, bytes: &[u8]) -> Result<AsyncSmtpConnection, SmtpError> {
        let mut session = self.session().await?;
        let mut options = Vec::new();
        if !bytes.is_ascii() && session.server_info().supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        session.command(MailFrom::new(mail.envelope().from().cloned(), options)).await?;
        for to in mail.envelope().to() {
            session.command(Rcpt::new(to.clone(), Vec::new())).await?;
        }
        session.command(Data).await?;
        Ok(session)
    }

    async fn send(&self, mail: &Message, handover: &Handover) -> Result<(), Refused> {
        let bytes = mail.formatted();
        let addressed = tokio::time::timeout(COMMAND_MAX, self.addressed(mail, &bytes));
        let mut session =
            addressed.await.map_err(|_| Refused::Silent("the mail server has not answered in time"))??;
        // Once there is no further part the end of the mail is written: from then on the server may take it.
        let parts = bytes.chunks(PART_BYTES).chain(std::iter::once_with(|| {
            handover.begin();
            &[][..]
        }));
        let in_time = async {
            if tokio::time::timeout(COMMAND_MAX, handover.begun()).await.is_ok() {
                tokio::time::sleep(END_MAX).await;
            }
        };
        let answered = tokio::select! {
            answered = session.message_iter(parts) => answered.map(drop).map_err(Refused::By),
            () = in_time => Err(Refused::Silent("the mail server has not said in time whether it takes the mail")),
        };
        if answered.is_ok() {
            // It is taken; how the session ends does not matter, so nobody waits for it.
            tokio::spawn(async move { tokio::time::timeout(CONNECT_MAX, session.quit()).await });
        }
        answered
    }
}

impl Courier for Mail {
    fn deliver<'a>(&'a self, parcel: &'a Parcel, handover: &'a Handover) -> Delivery<'a> {
        Box::pin(async move {
            let mail = self.mail(parcel).map_err(|error| Undelivered::Never(format!("{error:#}")))?;
            let refused = match self.send(&mail, handover).await {
                Ok(()) => return Ok(()),
                Err(refused) => refused,
            };
            let (said, status, is_permanent) = match refused {
                Refused::By(error) => (error.to_string(), error.status(), error.is_permanent()),
                Refused::Silent(said) => (said.to_owned(), None, false),
            };
            let is_of_sender = status.is_some_and(|code| OF_SENDER.contains(&code.into()));
            Err(match status {
                // It has all of the mail, and has said neither yes nor no.
                None if handover.has_begun() => Undelivered::Unconfirmed(format!(
                    "the mail server has the mail and has not said whether it takes it: {said}"
                )),
                _ if is_permanent && !is_of_sender => Undelivered::Never(said),
                _ => Undelivered::Later(said),
            })
        })
    }
}

/// Says that a program has written it, so that no holiday notice answers (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// A letter as text.
fn text_of(letter: &Letter) -> String {
    let mut text = letter.paragraphs.join("\n\n");
    if !letter.facts.is_empty() {
        text.push('\n');
    }
    for (name, value) in &letter.facts {
        // Writing into a text does not fail.
        let _ = write!(text, "\n{name}: {value}");
    }
    text.push('\n');
    text
}

/// A letter as HTML: nothing in it but its own words, escaped, and no address that a mail program would fetch.
fn html_of(letter: &Letter) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{}</title></head><body>\n",
        escaped(&letter.title)
    );
    for paragraph in &letter.paragraphs {
        let _ = writeln!(html, "<p>{}</p>", escaped(paragraph));
    }
    if !letter.facts.is_empty() {
        html.push_str("<table>\n");
        for (name, value) in &letter.facts {
            let _ = writeln!(
                html,
                "<tr><th scope=\"row\" align=\"left\">{}</th><td>{}</td></tr>",
                escaped(name),
                escaped(value)
            );
        }
        html.push_str("</table>\n");
    }
    html.push_str("</body></html>\n");
    html
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    //! Settings, and what a mail looks like from the inside.

    use super::*;

    fn parse(url: &str, password: Option<&str>) -> Result<MailSettings, Vec<String>> {
        MailSettings::parse(url, Some("Billing <billing@example.com>"), password.map(str::to_owned))
    }

    #[test]
    fn a_server_is_named_by_its_url() {
        for (url, password, port, cover) in [
            ("smtps://u:p%40@mail.example.com", None, 465, Cover::Tls),
            ("smtp://u@mail.example.com", Some("p@"), 587, Cover::StartTls),
            ("smtp://mail.example.com:2525?tls=required", None, 2525, Cover::StartTls),
            ("smtp://mail.example.com?tls=opportunistic", None, 25, Cover::IfOffered),
            ("smtp://127.0.0.1?tls=none", None, 25, Cover::Nothing),
            ("smtp://u:p%40@127.0.0.1?tls=none", None, 25, Cover::Nothing),
        ] {
            let settings = parse(url, password).unwrap();
            assert_eq!((settings.port, settings.cover), (port, cover), "{url}");
            if let Some((user, password)) = &settings.credentials {
                assert_eq!((user.as_str(), password.as_str()), ("u", "p@"));
            }
            assert!(!format!("{settings:?}").contains("p@"), "{settings:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_server_is_said_without_its_password() {
        for (url, password, said) in [
            ("mail.example.com", None, "is no URL"),
            ("http://mail.example.com", None, "has scheme `http`"),
            ("smtp://mail.example.com?tls=maybe", None, "has tls=`maybe`"),
            ("smtp://user@mail.example.com", None, "has a user and no password"),
            ("smtp://mail.example.com", Some("geheim"), "and no user"),
            ("smtp://user:geheim@mail.example.com?tls=none", None, "that others on the way could read"),
            (
                "smtp://user:geheim@mail.example.com?tls=opportunistic",
                None,
                "that others on the way could read",
            ),
        ] {
            let problems = parse(url, password).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(said), "{url}: {problems:?}");
            assert!(!problems[0].contains("geheim"), "{problems:?}");
        }
        let problems = MailSettings::parse("ftp://x", None, None).unwrap_err();
        assert!(problems.len() == 2 && problems[0].contains("--smtp-from"), "{problems:?}");
        let problems = MailSettings::parse("smtp://x", Some("a@b\r\nBcc: c@d.ef"), None).unwrap_err();
        assert!(problems[0].contains("which is no address"), "{problems:?}");
    }

    #[test]
    fn html_has_nothing_but_words() {
        let letter = Letter {
            title: "</title><script>".to_owned(),
            paragraphs: vec!["<img src=x onerror=\"a\">&".to_owned()],
            facts: vec![("'name'".to_owned(), "<a href='https://x'>".to_owned())],
        };
        let html = html_of(&letter);
        for bad in ["<script", "<img", "<a ", "onerror=\"", "&\n"] {
            assert!(!html.contains(bad), "{html}");
        }
        assert!(html.contains("&lt;img src=x onerror=&quot;a&quot;&gt;&amp;"), "{html}");
        assert!(text_of(&letter).contains("'name': <a href='https://x'>"));
    }
}

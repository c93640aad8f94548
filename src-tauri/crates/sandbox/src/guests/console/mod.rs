//! The remote console of the guests: a page with a token that is good once, a WebSocket behind it as the provider's proxy has
//! it, and a small RFB server that shows what happens on a guest's own screen: how it boots, and a login that answers. The same
//! server shows a second screen, to whoever comes to it through the guest's SSH: its display `:1`, where somebody is logged in.
//!
//! The proxy's rules are those of OpenStack's (`nova-novncproxy`): any path, the token in the query or as a cookie, sub-protocol
//! `binary`, an `Origin` that is this host or none at all. Who has no business here is let in and then hung up on, as there.

mod auth;
mod keyboard;
mod login;
mod proxy;
pub(super) mod rfb;
mod text;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::Guest;
use super::machine::{Look, Machine};
pub(crate) use proxy::serve;

/// How long a token is good for.
const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// Most tokens at once; the oldest go.
const TOKENS_MOST: usize = 1000;

/// Where a guest's display `:1` is, as seen from it.
pub(super) const DESK_PORT: u32 = 5901;

/// The tokens that were given out, and the screens of the guests.
#[derive(Default)]
pub(crate) struct Consoles {
    /// Where the pages are.
    base: OnceLock<String>,
    /// A VNC server without a password whose screen is shown in place of the guests' own.
    other: OnceLock<SocketAddr>,
    tickets: Mutex<BTreeMap<String, Ticket>>,
    seats: Mutex<BTreeMap<(String, Place), Arc<Seat>>>,
}

/// Which screen of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Its own.
    Console,
    /// Its display `:1`.
    Desk,
}

struct Ticket {
    server: String,
    until: Instant,
}

impl Consoles {
    /// Says where the pages are, once.
    pub(crate) fn open_at(&self, base: String) {
        let _ = self.base.set(base);
    }

    /// From now on this VNC server's screen is every guest's, once.
    pub(crate) fn show(&self, other: SocketAddr) {
        let _ = self.other.set(other);
    }

    /// The address of a page with a fresh token.
    pub(crate) fn issue(&self, server: &str, language: &str) -> String {
        let token = uuid::Uuid::new_v4().to_string();
        let mut tickets = locked(&self.tickets);
        let now = Instant::now();
        tickets.retain(|_, ticket| ticket.until > now);
        if tickets.len() >= TOKENS_MOST
            && let Some(oldest) = tickets
                .iter()
                .min_by_key(|(_, ticket)| ticket.until)
                .map(|(token, _)| token.clone())
        {
            tickets.remove(&oldest);
        }
        let ticket = Ticket {
            server: server.to_owned(),
            until: now + TOKEN_LIFE,
        };
        tickets.insert(token.clone(), ticket);
        let base = self.base.get().map(String::as_str).unwrap_or_default();
        let length = token.len();
        format!("{base}/vnc_auto.html?token={token}&lang={language}&tLength={length}")
    }

    /// The server that a token is for. It is good for nothing afterwards.
    fn redeem(&self, token: &str) -> Option<String> {
        let ticket = locked(&self.tickets).remove(token)?;
        (ticket.until > Instant::now()).then_some(ticket.server)
    }

    /// The seat in front of a guest's screen: the same for everybody, and new after each start.
    pub(super) fn seat(
        &self,
        server: &str,
        place: Place,
        guest: Guest,
        look: Look,
        machine: Arc<Mutex<Machine>>,
    ) -> Arc<Seat> {
        let mut seats = locked(&self.seats);
        let key = (server.to_owned(), place);
        if let Some(seat) = seats.get(&key).filter(|seat| seat.boot == guest.boot) {
            return seat.clone();
        }
        let seat = Arc::new(Seat::new(place, guest, look, machine));
        seats.insert(key, seat.clone());
        seat
    }
}

/// A row of letters, by its place from the top, in pixels.
type Row = (usize, Vec<[u8; 3]>);

/// A screen and a keyboard.
pub(super) struct Seat {
    /// Which start of the guest it shows.
    boot: u32,
    hostname: String,
    machine: Arc<Mutex<Machine>>,
    inner: Mutex<Inner>,
}

struct Inner {
    text: text::Text,
    keyboard: keyboard::Keyboard,
    login: login::Login,
}

impl Seat {
    fn new(place: Place, guest: Guest, look: Look, machine: Arc<Mutex<Machine>>) -> Self {
        let (boot, hostname) = (guest.boot, guest.hostname.clone());
        let mut text = text::Text::default();
        let login = match place {
            Place::Console => login::Login::new(Arc::new(guest), look),
            Place::Desk => {
                let (login, greeting) = login::Login::done(Arc::new(guest), look);
                text.write(&greeting);
                login
            }
        };
        Self {
            boot,
            hostname,
            machine,
            inner: Mutex::new(Inner {
                text,
                keyboard: keyboard::Keyboard::default(),
                login,
            }),
        }
    }

    fn name(&self) -> String {
        format!("{} (simulated)", self.hostname)
    }

    fn key(&self, key: u32, down: bool) {
        let mut inner = locked(&self.inner);
        let Inner {
            text,
            keyboard,
            login,
        } = &mut *inner;
        match keyboard.key(key, down) {
            Some(keyboard::Stroke::Bytes(bytes)) => {
                let mut machine = locked(&self.machine);
                let shown = login.typed(&bytes, &mut machine);
                if !shown.is_empty() {
                    text.write(&shown);
                }
            }
            Some(keyboard::Stroke::Reset) => {
                login.boot_again();
                text.clear();
            }
            None => {}
        }
    }

    /// Shows what is due without anybody typing.
    fn go_on(&self) {
        let mut inner = locked(&self.inner);
        let Inner { text, login, .. } = &mut *inner;
        let shown = login.due();
        if !shown.is_empty() {
            text.write(&shown);
        }
    }

    /// The rows that changed since the count was that, in pixels, and what the count is now.
    fn changed(&self, since: u64) -> (Vec<Row>, u64) {
        let inner = locked(&self.inner);
        let rows = inner.text.changed_since(since);
        let rows = rows.map(|row| (row, inner.text.pixels(row))).collect();
        (rows, inner.text.count())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The command line of what goes to a server by SSH, in the spelling of `ssh` and `scp`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use wangcheng::sessions::{How, Listen, Place, Route};

use super::Form;

/// How to get there, where it is not as usual.
#[derive(Debug, Args)]
pub struct Way {
    /// Log in as this user
    #[arg(long, short = 'l', value_name = "USER")]
    pub user: Option<String>,
    /// Try this private key first; its passphrase is asked for
    #[arg(long, short = 'i', value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Go through these hosts, one after the other
    #[arg(long, short = 'J', value_name = "[USER@]HOST[:PORT],…")]
    pub jump: Option<String>,
}

impl From<&Way> for How {
    fn from(way: &Way) -> Self {
        Self {
            user: way.user.clone(),
            key_file: way.key.clone(),
            jumps: way.jump.clone(),
        }
    }
}

/// A login.
#[derive(Debug, Args)]
#[command(after_help = AFTER_SSH)]
pub struct Ssh {
    /// Name or id
    pub server: String,
    /// How to get there.
    #[command(flatten)]
    pub way: Way,
    /// Ask for a terminal, for a command too
    #[arg(short = 't', long)]
    pub tty: bool,
    /// Ask for no terminal
    #[arg(short = 'T', long, conflicts_with = "tty")]
    pub no_tty: bool,
    /// Read nothing from standard input
    #[arg(short = 'n', long)]
    pub no_input: bool,
    /// What to run there instead of a shell; the shell there reads it as one line
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

const AFTER_SSH: &str =
    "Ends with what the shell or the command there returned, and with 255 when the way there failed.
In a terminal, Enter and then ~. ends it at once.";

/// Copies.
#[derive(Debug, Args)]
#[command(after_help = AFTER_SCP)]
pub struct Scp {
    /// What to copy: FILE here, or SERVER:PATH
    #[arg(required = true)]
    pub sources: Vec<String>,
    /// Where to: SERVER:PATH (nothing after the colon: the home there), or a place here
    pub target: String,
    /// How to get there.
    #[command(flatten)]
    pub way: Way,
    /// Folders too, with everything in them
    #[arg(short = 'r', long)]
    pub recursive: bool,
}

const AFTER_SCP: &str =
    "A file of this computer with a colon in its name is written as ./FILE. A copy that is cut off is
taken up where it stopped once the server is reached again.";

/// Tunnels.
#[derive(Debug, Args)]
#[command(after_help = AFTER_TUNNEL)]
pub struct Tunnel {
    /// Name or id
    pub server: String,
    /// How to get there.
    #[command(flatten)]
    pub way: Way,
    /// A port here leads to a place that the server reaches
    #[arg(short = 'L', long, value_name = "[ADDRESS:]PORT:HOST:PORT", value_parser = local)]
    pub local: Vec<Route>,
    /// A port on the server leads to a place that is reached from here
    #[arg(short = 'R', long, value_name = "[ADDRESS:]PORT:HOST:PORT", value_parser = remote)]
    pub remote: Vec<Route>,
    /// A SOCKS5 proxy here
    #[arg(short = 'D', long, value_name = "[ADDRESS:]PORT", value_parser = dynamic)]
    pub dynamic: Vec<Route>,
}

const AFTER_TUNNEL: &str =
    "Without ADDRESS they listen on loopback. Port 0 here or there: one is chosen and told.";

/// A screen.
#[derive(Debug, Args)]
#[command(after_help = AFTER_CONSOLE)]
pub struct Console {
    /// Name or id
    pub server: String,
    /// Open the provider's page in the system's browser instead
    #[arg(long, conflicts_with_all = ["listen", "viewer"])]
    pub browser: bool,
    /// Wait on 127.0.0.1 for one VNC viewer instead; without PORT, one is chosen and told
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "0")]
    pub listen: Option<u16>,
    /// The same, and start this viewer: PROGRAM 127.0.0.1::PORT
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true, default_missing_value = "vncviewer")]
    pub viewer: Option<PathBuf>,
    /// Print the request instead of sending it; what has to be read beforehand is read
    #[arg(long)]
    pub dry_run: bool,
    /// What --dry-run prints; --json has all of them
    #[arg(long, value_enum, default_value_t = Form::Http, requires = "dry_run")]
    pub form: Form,
}

const AFTER_CONSOLE: &str =
    "Shows the server's own screen and keyboard, also while nobody can log in: in the application, which
is started if it does not run. A viewer is asked for the password that is printed; it is good for
this one viewer, and the console's token is taken when that one is there. It ends when the viewer
leaves.";

/// The parts of a text between colons; brackets hold an address together.
fn parts(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '[' if !inside => inside = true,
            ']' if inside => inside = false,
            ':' if !inside => parts.push(String::new()),
            letter => parts.last_mut()?.push(letter),
        }
    }
    (!inside).then_some(parts)
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text:?} is no port"))
}

fn place(host: &str, text: &str) -> Result<Place, String> {
    match (host, port(text)?) {
        ("", _) => Err("a host is missing".to_owned()),
        (_, 0) => Err("it cannot lead to port 0".to_owned()),
        (host, port) => Ok(Place {
            host: host.to_owned(),
            port,
        }),
    }
}

fn listen(address: &str, text: &str) -> Result<Listen, String> {
    let port = port(text)?;
    let address: IpAddr = match address {
        "localhost" => return Ok(Listen::loopback(port)),
        "*" => IpAddr::from([0, 0, 0, 0]),
        address => address
            .parse()
            .map_err(|_| format!("{address:?} is no address of this computer"))?,
    };
    Ok(Listen { address, port })
}

fn local(text: &str) -> Result<Route, String> {
    let parts = parts(text).unwrap_or_default();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        [from, host, to] => Ok(Route::Local {
            listen: Listen::loopback(port(from)?),
            to: place(host, to)?,
        }),
        [address, from, host, to] => Ok(Route::Local {
            listen: listen(address, from)?,
            to: place(host, to)?,
        }),
        _ => Err("[ADDRESS:]PORT:HOST:PORT".to_owned()),
    }
}

fn remote(text: &str) -> Result<Route, String> {
    let parts = parts(text).unwrap_or_default();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (address, from, host, to) = match parts[..] {
        [from, host, to] => ("", from, host, to),
        [address, from, host, to] => (address, from, host, to),
        _ => return Err("[ADDRESS:]PORT:HOST:PORT".to_owned()),
    };
    Ok(Route::Remote {
        listen: Place {
            host: address.to_owned(),
            port: port(from)?,
        },
        to: place(host, to)?,
    })
}

fn dynamic(text: &str) -> Result<Route, String> {
    let parts = parts(text).unwrap_or_default();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let listen = match parts[..] {
        [from] => Listen::loopback(port(from)?),
        [address, from] => listen(address, from)?,
        _ => return Err("[ADDRESS:]PORT".to_owned()),
    };
    Ok(Route::Socks { listen })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tunnel_is_read_as_ssh_reads_it_and_listens_on_loopback_unless_said_otherwise() {
        let place = |host: &str, port| Place {
            host: host.to_owned(),
            port,
        };
        assert_eq!(
            local("8080:localhost:80").unwrap(),
            Route::Local {
                listen: Listen::loopback(8080),
                to: place("localhost", 80)
            }
        );
        assert_eq!(
            local("[::1]:0:[2001:db8::1]:5432").unwrap(),
            Route::Local {
                listen: Listen {
                    address: "::1".parse().unwrap(),
                    port: 0
                },
                to: place("2001:db8::1", 5432)
            }
        );
        assert_eq!(
            remote("9000:127.0.0.1:3000").unwrap(),
            Route::Remote {
                listen: place("", 9000),
                to: place("127.0.0.1", 3000)
            }
        );
        assert_eq!(
            dynamic("1080").unwrap(),
            Route::Socks {
                listen: Listen::loopback(1080)
            }
        );
        for wrong in ["", "80", "80:", "a:b:1", "1:h:0", "1:[h:2", "1::2", "name:1:h:2"] {
            assert!(local(wrong).is_err(), "{wrong}");
        }
        assert!(dynamic("70000").is_err());
    }
}

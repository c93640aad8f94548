//! A server's console for an ordinary VNC viewer of this computer: one port on loopback, one password, one viewer. Its token is
//! taken when the viewer is there, so that none waits; the ledger hears of it as of every session.

use std::sync::Arc;

use remote::{Front, Screen, ScreenWay, Teller, ViewerDoor};
use secrecy::SecretString;

use super::failure::failure;
use super::link::{Kind, Told};
use crate::Wangcheng;
use crate::cloud::Live;
use crate::failure::{Code, Failure, Result};
use crate::servers::{Server, ServerState};

/// A console that waits for a viewer. Dropping it ends it.
pub struct ConsoleForViewer {
    wangcheng: Wangcheng,
    live: Arc<Live>,
    server: Server,
    door: ViewerDoor,
    teller: Teller,
    told: Arc<Told>,
}

impl Wangcheng {
    /// Listens on loopback for a viewer of a server's console; port 0 lets the system choose. The front tells where it stands and
    /// asks what only a person can answer.
    ///
    /// # Errors
    /// `NotSignedIn`, `ServerUnknown`, `NotOwn`, `NotAdopted`, `ServerNotRunning`, `PortTaken`; the cloud's.
    pub async fn console_for_viewer(&self, server: &str, port: u16) -> Result<(ConsoleForViewer, Front)> {
        let live = self.active().await?;
        let server = self.own_server(&live, server).await?;
        if server.state != ServerState::Running {
            return Err(Failure::new(Code::ServerNotRunning).with("name", &server.name));
        }
        let door = ViewerDoor::open(port).await.map_err(|error| failure(&error))?;
        let (teller, front) = remote::front();
        let told = Told::new(self.clone(), server.clone(), live.account.clone(), Kind::Console);
        let told = Arc::new(told);
        told.follow(front.state.clone());
        let console = ConsoleForViewer {
            wangcheng: self.clone(),
            live,
            server,
            door,
            teller,
            told,
        };
        Ok((console, front))
    }
}

impl ConsoleForViewer {
    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.door.port()
    }

    /// What the viewer is asked for. Good for this one viewer.
    pub fn password(&self) -> &SecretString {
        self.door.password()
    }

    /// Waits for the viewer and shows it the console, until one of them leaves.
    ///
    /// # Errors
    /// `SshTimeout` when no viewer comes, `ScreenLogin` when too many did not know the password; those of
    /// [`Wangcheng::open_screen`], and what ends a screen.
    pub async fn run(self) -> Result<()> {
        let told = self.told.clone();
        let shown = self.show().await;
        told.closed().await;
        shown
    }

    async fn show(self) -> Result<()> {
        let viewer = self.door.viewer().await.map_err(|error| failure(&error))?;
        let opened = self.wangcheng.console_way(&self.live, &self.server).await;
        let way: ScreenWay = match opened {
            Ok(way) => way,
            Err(failure) => {
                viewer.refuse("the console cannot be opened").await;
                return Err(failure);
            }
        };
        let state = self.teller.watch();
        let screen = Screen::start(way, self.teller);
        viewer.show(&screen, state).await.map_err(|error| failure(&error))
    }
}

//! The main job, step by step, in the application's window: what the end-to-end tests and the headless tour both walk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::peers::{Hei, Sandbox};
use crate::window::{Found, PATIENCE, Window, testid};

/// The `data-testid` names that the interface promises. Where an element carries more than its id, the attributes are
/// named beside it.
pub mod id {
    /// Button of the first start: use the embedded region.
    pub const FIRST_DEMO: &str = "first-demo";
    /// Sign-in: the account's name here.
    pub const SIGNIN_NAME: &str = "signin-name";
    /// Sign-in: `<select>`, its values are region ids.
    pub const SIGNIN_REGION: &str = "signin-region";
    /// Sign-in: access key id.
    pub const SIGNIN_ACCESS_KEY: &str = "signin-access-key";
    /// Sign-in: secret access key.
    pub const SIGNIN_SECRET_KEY: &str = "signin-secret-key";
    /// Sign-in: security token of temporary keys.
    pub const SIGNIN_TOKEN: &str = "signin-token";
    /// Sign-in: keep the keys in the keychain.
    pub const SIGNIN_REMEMBER_KEYCHAIN: &str = "signin-remember-keychain";
    /// Sign-in: keep the keys for this run only.
    pub const SIGNIN_REMEMBER_RUN: &str = "signin-remember-run";
    /// Sign-in, after the keychain refused: go on with the keys for this run only.
    pub const SIGNIN_FOR_THIS_RUN: &str = "signin-for-this-run";
    /// Sign-in: the button.
    pub const SIGNIN_SUBMIT: &str = "signin-submit";
    /// What went wrong, wherever it is shown; `data-code`.
    pub const ERROR_BOX: &str = "error-box";
    /// Navigation: servers.
    pub const NAV_SERVERS: &str = "nav-servers";
    /// Navigation: create.
    pub const NAV_CREATE: &str = "nav-create";
    /// Navigation: operations.
    pub const NAV_OPERATIONS: &str = "nav-operations";
    /// Navigation: events.
    pub const NAV_EVENTS: &str = "nav-events";
    /// Navigation: settings.
    pub const NAV_SETTINGS: &str = "nav-settings";
    /// The list of servers.
    pub const SERVERS_TABLE: &str = "servers-table";
    /// One server of the list; `data-server-name`, `data-state`.
    pub const SERVER_ROW: &str = "server-row";
    /// The page of one server.
    pub const SERVER_DETAIL: &str = "server-detail";
    /// Server: open the form that extends the lease.
    pub const SERVER_EXTEND: &str = "server-extend";
    /// Extend: one hour more.
    pub const EXTEND_PLUS_1H: &str = "extend-plus-1h";
    /// Extend: eight hours more.
    pub const EXTEND_PLUS_8H: &str = "extend-plus-8h";
    /// Extend: the button.
    pub const EXTEND_SUBMIT: &str = "extend-submit";
    /// Server: open the question whether to delete.
    pub const SERVER_DELETE: &str = "server-delete";
    /// Delete: field for the server's name.
    pub const DELETE_CONFIRM_NAME: &str = "delete-confirm-name";
    /// Delete: the button.
    pub const DELETE_SUBMIT: &str = "delete-submit";
    /// What is under way on the open server.
    pub const SERVER_OPERATION: &str = "server-operation";
    /// Server: open the choice of another size.
    pub const SERVER_RESIZE: &str = "server-resize";
    /// Resize: one size that can be had; `data-flavor`.
    pub const RESIZE_OPTION: &str = "resize-option";
    /// Resize: the button.
    pub const RESIZE_SUBMIT: &str = "resize-submit";
    /// One disk of the open server; `data-size`, `data-attached`.
    pub const DISK_ROW: &str = "disk-row";
    /// Disks: open the form for another one.
    pub const DISK_ADD: &str = "disk-add";
    /// Disk: open the form that grows it.
    pub const DISK_GROW: &str = "disk-grow";
    /// Disk: the size asked for, in GB.
    pub const DISK_SIZE: &str = "disk-size";
    /// Disk: its price of an hour; `data-amount`.
    pub const DISK_PRICE: &str = "disk-price";
    /// Disk: the button that adds or grows it.
    pub const DISK_SIZE_SUBMIT: &str = "disk-size-submit";
    /// Lines to type in the guest.
    pub const GUEST_COMMANDS: &str = "guest-commands";
    /// Create: one card for each template; `data-template`.
    pub const CREATE_TEMPLATE: &str = "create-template";
    /// Create: the server's name.
    pub const CREATE_NAME: &str = "create-name";
    /// Create: what it is for.
    pub const CREATE_PURPOSE: &str = "create-purpose";
    /// Create: hours of the lease.
    pub const CREATE_LEASE_HOURS: &str = "create-lease-hours";
    /// Create: price of an hour; `data-amount`, in an element whose `aria-busy` says that it is being worked out.
    pub const CREATE_PRICE_HOUR: &str = "create-price-hour";
    /// Create: price of the whole lease; `data-amount`, likewise.
    pub const CREATE_PRICE_LEASE: &str = "create-price-lease";
    /// Create: every reason why it would fail.
    pub const CREATE_PROBLEMS: &str = "create-problems";
    /// Create: the button.
    pub const CREATE_SUBMIT: &str = "create-submit";
    /// One operation; `data-kind`, `data-state`.
    pub const OPERATION_ROW: &str = "operation-row";
    /// One event; `data-action`, `data-outcome`.
    pub const EVENT_ROW: &str = "event-row";
    /// Delivery: try now; there only while events wait.
    pub const DELIVERY_SEND_NOW: &str = "delivery-send-now";
    /// How delivery stands; `data-waiting` (number of events), `data-state`.
    pub const DELIVERY_STATUS: &str = "delivery-status";
    /// Settings: `<select>`, `zh-CN` or `en`.
    pub const SETTINGS_LANGUAGE: &str = "settings-language";
    /// Settings: `<select>`, `light`, `dark` or `system`.
    pub const SETTINGS_THEME: &str = "settings-theme";
    /// Settings: the receiver's URL.
    pub const SETTINGS_HEI_URL: &str = "settings-hei-url";
    /// Settings: the receiver's token.
    pub const SETTINGS_HEI_TOKEN: &str = "settings-hei-token";
    /// Settings: keep URL and token.
    pub const SETTINGS_HEI_SAVE: &str = "settings-hei-save";
    /// Settings: send a test event.
    pub const SETTINGS_HEI_TEST: &str = "settings-hei-test";
    /// Settings: allow plain HTTP; there only for such a URL.
    pub const SETTINGS_HEI_PLAIN: &str = "settings-hei-plain";
    /// Settings: what came of the test event; `data-ok`.
    pub const SETTINGS_HEI_TEST_RESULT: &str = "settings-hei-test-result";
    /// Settings: sign out.
    pub const SETTINGS_SIGN_OUT: &str = "settings-sign-out";
}

/// How long a server may take to come up or go at the sandbox's pace 1, with room for a slow machine.
pub(crate) const ASYNCHRONY: Duration = Duration::from_secs(60);

/// What a person types at sign-in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The account's name here.
    pub name: String,
    /// Region id.
    pub region: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Whether the keys go into the keychain, or are kept for this run only.
    pub remember: bool,
}

impl SignIn {
    /// The form for that user of the sandbox, keys into the keychain.
    ///
    /// # Errors
    /// When the sandbox has no such user.
    pub fn of(sandbox: &Sandbox, user: &str) -> Result<Self> {
        let user = sandbox.user(user)?;
        Ok(Self {
            name: user.name.clone(),
            region: sandbox.region()?.to_owned(),
            access_key: user.access_key.clone(),
            secret_key: user.secret_key.clone(),
            remember: true,
        })
    }
}

/// A price that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// As a person reads it.
    pub text: String,
    /// The decimal number behind it.
    pub amount: String,
}

/// The prices that are shown before the click.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// Of one hour.
    pub hour: Shown,
    /// Of the whole lease.
    pub lease: Shown,
}

/// The selector of a server's row in the list.
pub fn server_row(name: &str) -> String {
    format!("{}[data-server-name=\"{name}\"]", testid(id::SERVER_ROW))
}

/// The selector of an event's row.
pub fn event_row(action: &str, outcome: &str) -> String {
    format!(
        "{}[data-action=\"{action}\"][data-outcome=\"{outcome}\"]",
        testid(id::EVENT_ROW)
    )
}

/// A person at the window. With an album, each step leaves a picture.
#[derive(Debug)]
pub struct Walk<'w> {
    pub(crate) window: &'w Window,
    album: Option<Album>,
    /// Operations whose end was seen already.
    pub(crate) seen: Vec<String>,
}

/// Numbered pictures in a directory.
#[derive(Debug, Default)]
pub struct Album {
    dir: PathBuf,
    pictures: Vec<PathBuf>,
}

impl Album {
    /// Pictures into `dir`, numbered from 1.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            pictures: Vec::new(),
        }
    }

    /// The pictures taken so far.
    pub fn pictures(&self) -> &[PathBuf] {
        &self.pictures
    }

    async fn take(&mut self, window: &Window, name: &str) -> Result<()> {
        let path = self
            .dir
            .join(format!("{:02}-{name}.png", self.pictures.len() + 1));
        window.screenshot(&path).await?;
        self.pictures.push(path);
        Ok(())
    }
}

impl<'w> Walk<'w> {
    /// A walk through that window without pictures.
    pub fn new(window: &'w Window) -> Self {
        Self {
            window,
            album: None,
            seen: Vec::new(),
        }
    }

    /// A walk that goes on with that album.
    pub fn with_album(window: &'w Window, album: Album) -> Self {
        Self {
            window,
            album: Some(album),
            seen: Vec::new(),
        }
    }

    /// The album, to go on with in another window.
    pub fn into_album(self) -> Album {
        self.album.unwrap_or_default()
    }

    /// Takes a picture when there is an album.
    ///
    /// # Errors
    /// When the window does not answer or the file cannot be written.
    pub async fn picture(&mut self, name: &str) -> Result<()> {
        match &mut self.album {
            Some(album) => album.take(self.window, name).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn click(&self, id: &str) -> Result<()> {
        self.window.click(&testid(id)).await
    }

    pub(crate) async fn fill(&self, id: &str, text: &str) -> Result<()> {
        self.window.fill(&testid(id), text).await
    }

    /// Signs in to the embedded region with one click, as the first of its users.
    ///
    /// # Errors
    /// When the button is not there.
    pub async fn demo(&mut self) -> Result<()> {
        self.click(id::FIRST_DEMO).await?;
        self.window.by_testid(id::SERVERS_TABLE).await?;
        self.picture("servers").await
    }

    /// Fills in the sign-in form and sends it; whether it succeeds is for the next step to see.
    ///
    /// # Errors
    /// When the form is not there.
    pub async fn sign_in(&mut self, form: &SignIn) -> Result<()> {
        self.fill(id::SIGNIN_NAME, &form.name).await?;
        self.window
            .choose(&testid(id::SIGNIN_REGION), &form.region)
            .await?;
        self.fill(id::SIGNIN_ACCESS_KEY, &form.access_key).await?;
        self.fill(id::SIGNIN_SECRET_KEY, &form.secret_key).await?;
        let keep = if form.remember {
            id::SIGNIN_REMEMBER_KEYCHAIN
        } else {
            id::SIGNIN_REMEMBER_RUN
        };
        self.click(keep).await?;
        self.picture("sign-in").await?;
        self.click(id::SIGNIN_SUBMIT).await
    }

    /// Goes to the list of servers and gives the names in it.
    ///
    /// # Errors
    /// When there is no list in time.
    pub async fn servers_list(&mut self) -> Result<Vec<String>> {
        self.click(id::NAV_SERVERS).await?;
        self.window.by_testid(id::SERVERS_TABLE).await?;
        let script = format!(
            "return Array.from(document.querySelectorAll('{}'), row => row.dataset.serverName)",
            testid(id::SERVER_ROW)
        );
        let names = self.window.script(&script).await?;
        self.picture("servers").await?;
        serde_json::from_value(names).context("a row of the list has no data-server-name")
    }

    /// Signs in to the embedded region, creates a server there and waits until it is up.
    ///
    /// # Errors
    /// When a step on the way does not come in time.
    pub async fn running(&mut self, name: &str) -> Result<()> {
        self.demo().await?;
        self.new_server(name).await?;
        self.wait_running(name).await
    }

    /// Creates a server for two hours with what is chosen to begin with, after its price was shown.
    ///
    /// # Errors
    /// When a step on the way does not come in time.
    pub async fn new_server(&mut self, name: &str) -> Result<()> {
        self.open_create().await?;
        self.describe(name, "", 2).await?;
        self.see_price().await?;
        self.create(name).await
    }

    /// Goes to the form that creates a server and waits for the templates.
    ///
    /// # Errors
    /// When no template is offered in time.
    pub async fn open_create(&mut self) -> Result<()> {
        self.click(id::NAV_CREATE).await?;
        self.window.by_testid(id::CREATE_TEMPLATE).await?;
        self.picture("templates").await
    }

    /// Chooses a template by its id, or the first.
    ///
    /// # Errors
    /// When it is not offered.
    pub async fn choose_template(&mut self, template: Option<&str>) -> Result<()> {
        let card = testid(id::CREATE_TEMPLATE);
        match template {
            Some(template) => {
                self.window
                    .click(&format!("{card}[data-template=\"{template}\"]"))
                    .await
            }
            None => self.window.click(&card).await,
        }
    }

    /// Says what the server is called, what it is for and how long it is wanted.
    ///
    /// # Errors
    /// When a field is not there.
    pub async fn describe(&mut self, name: &str, purpose: &str, lease_hours: u32) -> Result<()> {
        self.fill(id::CREATE_NAME, name).await?;
        self.fill(id::CREATE_PURPOSE, purpose).await?;
        self.fill(id::CREATE_LEASE_HOURS, &lease_hours.to_string()).await
    }

    /// Waits for the prices, which are to be there before the click.
    ///
    /// # Errors
    /// When a price is missing in time.
    pub async fn see_price(&mut self) -> Result<Price> {
        let price = Price {
            hour: self.price_in(id::CREATE_PRICE_HOUR).await?,
            lease: self.price_in(id::CREATE_PRICE_LEASE).await?,
        };
        self.picture("price").await?;
        Ok(price)
    }

    /// Creates, and waits until the server stands in the list.
    ///
    /// # Errors
    /// When the button stays disabled (the text then says which problems are shown) or the server does not appear.
    pub async fn create(&mut self, name: &str) -> Result<()> {
        if let Err(error) = self.click(id::CREATE_SUBMIT).await {
            let problems = testid(id::CREATE_PROBLEMS);
            let shown = match self.window.count(&problems).await {
                Ok(1..) => self.window.text(&problems).await.unwrap_or_default(),
                _ => "none".to_owned(),
            };
            return Err(error.context(format!("cannot create; problems shown: {shown}")));
        }
        // the window goes to the list by itself, unless creating was refused
        self.window.find(&server_row(name)).await?;
        self.picture("creating").await
    }

    /// Watches the server in the list until it is up.
    ///
    /// # Errors
    /// When it is not up in time, or ends in another settled state.
    pub async fn wait_running(&mut self, name: &str) -> Result<()> {
        let row = server_row(name);
        let state = self
            .window
            .wait_attribute(&row, "data-state", &["running", "error"], ASYNCHRONY)
            .await?;
        self.picture("running").await?;
        if state != "running" {
            bail!("{name} came up in state {state}");
        }
        Ok(())
    }

    /// Opens the page of a server from the list.
    ///
    /// # Errors
    /// When the list has no such server.
    pub async fn open_server(&mut self, name: &str) -> Result<()> {
        self.click(id::NAV_SERVERS).await?;
        // WebKit's driver does not click a table's row, only what is in it; the first cell is the mark.
        self.window.click(&format!("{} bdi", server_row(name))).await?;
        self.window.wait_text(&testid(id::SERVER_DETAIL), name).await?;
        self.picture("server").await
    }

    /// Extends the lease of the open server by one hour and waits until that operation has settled.
    ///
    /// # Errors
    /// When a button is missing or the operation fails.
    pub async fn extend(&mut self) -> Result<()> {
        self.click(id::SERVER_EXTEND).await?;
        self.click(id::EXTEND_PLUS_1H).await?;
        self.picture("extend").await?;
        self.click(id::EXTEND_SUBMIT).await?;
        self.window.wait_gone(&testid(id::EXTEND_SUBMIT), PATIENCE).await
    }

    /// Asks for the open server to be deleted, typing its name, whatever comes of it.
    ///
    /// # Errors
    /// When a button is missing or the question stays.
    pub async fn ask_deletion(&mut self, name: &str) -> Result<()> {
        self.click(id::SERVER_DELETE).await?;
        self.fill(id::DELETE_CONFIRM_NAME, name).await?;
        self.picture("delete").await?;
        self.answer(id::DELETE_SUBMIT).await
    }

    /// Deletes the open server, typing its name where the window asks for it, and waits until it has left the list.
    ///
    /// # Errors
    /// When a button is missing or the server stays.
    pub async fn delete(&mut self, name: &str) -> Result<()> {
        self.ask_deletion(name).await?;
        self.click(id::NAV_SERVERS).await?;
        self.window.by_testid(id::SERVERS_TABLE).await?;
        self.window.wait_gone(&server_row(name), ASYNCHRONY).await?;
        self.picture("deleted").await
    }

    /// Goes to the operations and gives kind and state of each, newest first as shown.
    ///
    /// # Errors
    /// When there is none.
    pub async fn operations(&mut self) -> Result<Vec<(String, String)>> {
        self.click(id::NAV_OPERATIONS).await?;
        let operations = self.rows(id::OPERATION_ROW, "kind", "state").await?;
        self.picture("operations").await?;
        Ok(operations)
    }

    /// Goes to the events and gives action and outcome of each as shown.
    ///
    /// # Errors
    /// When there is none.
    pub async fn events(&mut self) -> Result<Vec<(String, String)>> {
        self.click(id::NAV_EVENTS).await?;
        let events = self.rows(id::EVENT_ROW, "action", "outcome").await?;
        self.picture("events").await?;
        Ok(events)
    }

    /// Waits, on the page of events, until delivery stands still because the receiver does not take them.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn wait_undelivered(&mut self) -> Result<()> {
        self.click(id::NAV_EVENTS).await?;
        let status = testid(id::DELIVERY_STATUS);
        self.window
            .wait_attribute(&status, "data-state", &["waiting_to_retry"], ASYNCHRONY)
            .await?;
        self.picture("undelivered").await
    }

    /// Waits, on the page of events, until none waits for delivery.
    ///
    /// # Errors
    /// When some still wait at the deadline.
    pub async fn wait_delivered(&mut self) -> Result<()> {
        self.click(id::NAV_EVENTS).await?;
        let status = testid(id::DELIVERY_STATUS);
        self.window
            .wait_attribute(&status, "data-waiting", &["0"], ASYNCHRONY)
            .await
            .map(drop)
    }

    /// Goes to the settings, names the receiver of events, saves, and has a test event sent there.
    ///
    /// # Errors
    /// When a field is missing, or the receiver did not take the test event.
    pub async fn settings(&mut self, hei: &Hei) -> Result<()> {
        self.click(id::NAV_SETTINGS).await?;
        self.fill(id::SETTINGS_HEI_URL, &hei.url).await?;
        self.fill(id::SETTINGS_HEI_TOKEN, &hei.token).await?;
        let plain = format!("{}:not(:checked)", testid(id::SETTINGS_HEI_PLAIN));
        if self.window.count(&plain).await? > 0 {
            self.window.click(&plain).await?;
        }
        self.click(id::SETTINGS_HEI_SAVE).await?;
        // enabled only once everything is saved
        self.click(id::SETTINGS_HEI_TEST).await?;
        let result = testid(id::SETTINGS_HEI_TEST_RESULT);
        let ok = self
            .window
            .wait_attribute(&result, "data-ok", &["true", "false"], PATIENCE)
            .await?;
        self.picture("settings").await?;
        if ok != "true" {
            bail!(
                "the receiver did not take the test event: {}",
                self.window.text(&result).await?
            );
        }
        Ok(())
    }

    /// Waits for a failure to be shown, and gives its stable code.
    ///
    /// # Errors
    /// When none is shown in time.
    pub async fn failure(&mut self) -> Result<String> {
        let code = self.window.attribute(&testid(id::ERROR_BOX), "data-code").await?;
        self.picture("failure").await?;
        code.context("the failure has no data-code")
    }

    /// Waits until the element shows the price of what is asked now: while that is still being worked out, the price of
    /// what was asked before stays in view.
    async fn price_in(&self, id: &str) -> Result<Shown> {
        let css = format!("[aria-busy=\"false\"] {}", testid(id));
        self.window
            .wait(&format!("a price in {css}"), PATIENCE, async || {
                let text = self.window.peek_text(&css).await?;
                let amount = self.window.peek_attribute(&css, "data-amount").await?;
                Ok(match amount {
                    Some(amount) if !amount.is_empty() => Found::Yes(Shown { text, amount }),
                    _ => Found::NotYet(format!("it shows {text:?}")),
                })
            })
            .await
    }

    /// Two data attributes of every row, once there is a row.
    async fn rows(&self, row: &str, first: &str, second: &str) -> Result<Vec<(String, String)>> {
        let css = testid(row);
        self.window.find(&css).await?;
        let script = format!(
            "return Array.from(document.querySelectorAll('{css}'), row => [row.dataset.{first}, row.dataset.{second}])"
        );
        let rows = self.window.script(&script).await?;
        serde_json::from_value(rows).with_context(|| format!("a {row} lacks data-{first} or data-{second}"))
    }
}

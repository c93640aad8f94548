//! One run: the domain is opened, asked, waited for and stopped.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::{Api, Change, Launch, Places, Tongue};
use indicatif::{ProgressBar, ProgressStyle};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use wangcheng::sessions::{ConsoleForViewer, Front, How, Kind, Link};
use wangcheng::settings::Language;
use wangcheng::{ClientInfo, Clock};

use crate::arguments::{Common, Form, Wait};
use crate::exit::Exit;
use crate::output::{Output, rows, text};
use crate::secrets;
use crate::trouble::{Result, Trouble};

/// The window's identifier: its directory is ours too.
const DIRECTORY: &str = "dev.wangcheng.desktop";
/// How long the events of what was done are given to arrive before the program ends. They are never lost; the next run
/// sends them.
const DELIVERY: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(100);
/// How long what was asked for is given to be sent before the program leaves it. A key that is kept for this run only is
/// gone afterwards, and with it the way to send the same request again.
const SENDING: Duration = Duration::from_secs(20);

/// The language that can be known before the ledger is open.
pub fn tongue(common: &Common) -> Tongue {
    match common.language {
        Some(Language::Chinese) => Tongue::Chinese,
        Some(Language::English) => Tongue::English,
        _ => Tongue::from_tag(&sys_locale::get_locale().unwrap_or_default()),
    }
}

/// An open domain.
pub struct Session {
    api: Api,
    /// Ids of the operations that this run asked for.
    asked: Mutex<Vec<String>>,
    /// For whom is written.
    pub output: Output,
}

impl Session {
    /// Opens the ledger; signs in for this run where the command line says so. `signing_in`: the command itself will.
    /// `choosing`: the command is about which account is in use, for later runs too.
    pub async fn open(common: &Common, output: Output, signing_in: bool, choosing: bool) -> Result<Self> {
        let data_dir = match &common.data_dir {
            Some(dir) => dir.clone(),
            None => dirs::data_dir()
                .ok_or_else(|| {
                    Trouble::new(
                        "ledger_failed",
                        output.say("找不到数据目录。", "There is no data directory."),
                        Some("`--data-dir`".to_owned()),
                    )
                })?
                .join(DIRECTORY),
        };
        tokio::fs::create_dir_all(&data_dir).await?;
        let demo = common.demo || common.sandbox.is_some();
        let (demo_region, demo_users, start_demo) = embedded::embedded(common.sandbox.clone());
        let places = Places {
            data_dir,
            client: ClientInfo {
                name: "cli",
                version: env!("CARGO_PKG_VERSION"),
                platform: std::env::consts::OS,
            },
            system_language: match output.tongue {
                Tongue::Chinese => "zh-CN",
                Tongue::English => "en",
            }
            .to_owned(),
            demo_region,
            demo_users,
            start_demo,
        };
        let launch = Launch {
            demo,
            real: !demo,
            language: common.language,
            theme: None,
        };
        let session = Self {
            api: Api::open(places, launch).await,
            asked: Mutex::default(),
            output,
        };
        // What a command line chooses for one command is no choice for the window.
        if !choosing {
            session.api.choose_only_for_this_run().await;
        }
        let prepared = session.sign_in_for_this_run(common, signing_in).await;
        match prepared {
            Ok(()) => Ok(session),
            Err(trouble) => {
                session.close().await;
                Err(trouble)
            }
        }
    }

    async fn sign_in_for_this_run(&self, common: &Common, signing_in: bool) -> Result<()> {
        if let Some(user) = &common.person {
            self.ask("accounts.sign_in_demo", json!({"user": user, "remember": "run"}))
                .await?;
        } else if let (Some(region), Some(key), false) =
            (&common.region, secrets::key_of_environment(), signing_in)
        {
            self.sign_in("HUAWEICLOUD_SDK_AK", region, &key, None, "run")
                .await?;
        }
        if let Some(account) = &common.account {
            let id = self.account(account).await?;
            self.ask("accounts.select", json!({"account": id})).await?;
        }
        Ok(())
    }

    /// Signs in with a key.
    pub async fn sign_in(
        &self,
        name: &str,
        region: &str,
        key: &secrets::Key,
        project: Option<&str>,
        remember: &str,
    ) -> Result<Value> {
        let ask = json!({
            "name": name,
            "region": region,
            "accessKey": key.access_key.expose_secret(),
            "secretKey": key.secret_key.expose_secret(),
            "securityToken": key.security_token.as_ref().map(|token| token.expose_secret()),
            "projectId": project,
            "remember": remember,
        });
        self.ask("accounts.sign_in", ask).await
    }

    /// One call of the table.
    pub async fn ask(&self, name: &str, request: Value) -> Result<Value> {
        Ok(self.api.call(name, request).await?)
    }

    /// Writes the usage summary, as it is read.
    pub async fn export_usage(&self, ask: Value, target: api::ExportTarget) -> Result<()> {
        let ask =
            serde_json::from_value(ask).map_err(|error| Trouble::new("internal", error.to_string(), None))?;
        Ok(self.api.export_usage(ask, target).await?)
    }

    /// Begins to read a file of exported events.
    pub async fn import_events(&self, file: &Path) -> Result<()> {
        self.api.import_events(file).await?;
        Ok(())
    }

    /// Stops every task, once what was asked for is sent; what is under way is taken up at the next start.
    pub async fn close(&self) {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        for id in asked {
            self.sent(&id).await;
        }
        self.api.stop().await;
    }

    /// Notes an operation that was asked for just now: it is sent before the program ends, followed or not.
    pub fn asked(&self, operation: &Value) {
        if let Some(id) = operation.get("id").and_then(Value::as_str) {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(id.to_owned());
        }
    }

    /// Waits until an operation is more than recorded, for [`SENDING`] at most or until Ctrl+C is pressed again. Answers
    /// with the operation as it is then, where that can be read.
    async fn sent(&self, id: &str) -> Option<Value> {
        let sending = async {
            let mut changes = self.api.changes();
            loop {
                // Read anew after listening, so that no change is missed.
                let operation = self.operation(id).await.ok()?;
                if text(&operation, "stage") != "recorded" {
                    return Some(operation);
                }
                if matches!(changes.recv().await, Err(RecvError::Closed)) {
                    return Some(operation);
                }
            }
        };
        tokio::select! {
            operation = tokio::time::timeout(SENDING, sending) => operation.ok().flatten(),
            _ = tokio::signal::ctrl_c() => None,
        }
    }

    /// Our id of the account that a person names.
    pub async fn account(&self, wanted: &str) -> Result<String> {
        let accounts = self.ask("accounts.list", Value::Null).await?;
        self.one_of(rows(&accounts, "accounts"), wanted, || {
            Trouble::new(
                "account_unknown",
                format!(
                    "{}: {wanted}",
                    self.output.say("没有此账户", "There is no such account")
                ),
                Some(
                    self.output
                        .say("参见 `wangcheng account list`。", "See `wangcheng account list`.")
                        .to_owned(),
                ),
            )
        })
    }

    /// The server that a person names, as the cloud tells it now.
    pub async fn server(&self, wanted: &str) -> Result<Value> {
        let list = self.servers().await?;
        let id = self.one_of(rows(&list, "servers"), wanted, || {
            Trouble::new(
                "server_unknown",
                format!(
                    "{}: {wanted}",
                    self.output.say("没有此云服务器", "There is no such server")
                ),
                Some(
                    self.output
                        .say("参见 `wangcheng server list`。", "See `wangcheng server list`.")
                        .to_owned(),
                ),
            )
        })?;
        Ok(rows(&list, "servers")
            .find(|server| server.get("id").and_then(Value::as_str) == Some(&id))
            .cloned()
            .unwrap_or_default())
    }

    /// All servers as the cloud tells them now; an error when it does not.
    pub async fn servers(&self) -> Result<Value> {
        let list = self.ask("servers.refresh", Value::Null).await?;
        match list.get("problem") {
            Some(problem) if problem.is_object() => Err(wire(problem, false)),
            _ => Ok(list),
        }
    }

    /// The id of the row with that id, else of the only one with that name.
    pub fn one_of<'a>(
        &self,
        rows: impl Iterator<Item = &'a Value>,
        wanted: &str,
        unknown: impl FnOnce() -> Trouble,
    ) -> Result<String> {
        let mut named = Vec::new();
        for row in rows {
            let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
            if id == wanted {
                return Ok(id.to_owned());
            }
            if row.get("name").and_then(Value::as_str) == Some(wanted) {
                named.push(id.to_owned());
            }
        }
        match named.as_slice() {
            [] => Err(unknown()),
            [only] => Ok(only.clone()),
            several => Err(Trouble::new(
                "name_ambiguous",
                format!(
                    "{}: {wanted} ({})",
                    self.output.say("有多个同名项", "Several have this name"),
                    several.join(", ")
                ),
                Some(self.output.say("请改用 ID。", "Use the id.").to_owned()),
            )),
        }
    }

    /// Asks for an act and follows it as far as wished. The answer is the operation as it is then.
    pub async fn act(&self, name: &str, request: Value, wait: Wait) -> Result<Value> {
        let (operation, changes) = self.begin(name, request).await?;
        self.follow(operation, changes, wait).await
    }

    /// Asks for an act. The answer is the operation as it was recorded, and what changes from then on.
    pub async fn begin(&self, name: &str, request: Value) -> Result<(Value, Receiver<Change>)> {
        // Listened to before asking, so that no change is missed.
        let changes = self.api.changes();
        let operation = self.ask(name, request).await?;
        self.asked(&operation);
        Ok((operation, changes))
    }

    /// Follows an operation that was asked for just now.
    pub async fn follow_on(&self, operation: Value, wait: Wait) -> Result<Value> {
        let changes = self.api.changes();
        // Read anew after listening, so that no change is missed.
        let operation = self.operation(&text(&operation, "id")).await?;
        self.follow(operation, changes, wait).await
    }

    /// Follows an operation to its end.
    pub async fn follow_by_id(&self, id: &str, timeout: Duration) -> Result<Value> {
        let changes = self.api.changes();
        let operation = self.operation(id).await?;
        let wait = Wait {
            wait: true,
            no_wait: false,
            timeout,
            dry_run: false,
            form: Form::Http,
        };
        self.follow(operation, changes, wait).await
    }

    /// Writes the key of a server that was asked for here to a new file.
    pub async fn write_key(&self, id: &str, file: &Path) -> Result<()> {
        Ok(self.api.write_server_key(id, file).await?)
    }

    /// A way to a server, by its name or id.
    pub async fn reach(&self, server: &str, how: &How, kind: Kind) -> Result<(Link, Front)> {
        let server = self.server(server).await?;
        Ok(self.api.reach(&text(&server, "id"), how, kind).await?)
    }

    /// A server's console for a VNC viewer of this computer.
    pub async fn console_for_viewer(&self, id: &str, port: u16) -> Result<(ConsoleForViewer, Front)> {
        Ok(self.api.console_for_viewer(id, port).await?)
    }

    /// The address of the provider's page for a server's screen. It has a token: for a person's own hands.
    pub async fn console_page(&self, id: &str) -> Result<SecretString> {
        Ok(self.api.console_page(id).await?)
    }

    /// What went wrong on the way to a server.
    pub fn failed(&self, failure: &wangcheng::Failure) -> Trouble {
        self.api.in_words(failure).into()
    }

    /// The operation of that id.
    pub async fn operation(&self, id: &str) -> Result<Value> {
        let all = self.ask("operations.list", Value::Null).await?;
        let found = all
            .as_array()
            .into_iter()
            .flatten()
            .find(|operation| operation.get("id").and_then(Value::as_str) == Some(id));
        found.cloned().ok_or_else(|| {
            Trouble::new(
                "operation_unknown",
                format!(
                    "{}: {id}",
                    self.output.say("没有此操作", "There is no such operation")
                ),
                Some(
                    self.output
                        .say(
                            "参见 `wangcheng operation list`。",
                            "See `wangcheng operation list`.",
                        )
                        .to_owned(),
                ),
            )
        })
    }

    /// Follows an operation as far as wished, hearing what changed since it was recorded.
    pub async fn follow(
        &self,
        mut operation: Value,
        mut changes: Receiver<Change>,
        wait: Wait,
    ) -> Result<Value> {
        let id = operation
            .get("id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let bar = self.bar();
        let done = |operation: &Value| match text(operation, "stage").as_str() {
            "settled" => true,
            "recorded" => false,
            _ => wait.no_wait,
        };
        let following = async {
            while !done(&operation) {
                bar.set_message(self.progress(&operation));
                match changes.recv().await {
                    Ok(Change::Operation { operation: told }) if told.id == id => {
                        operation = serde_json::to_value(told).unwrap_or_default();
                    }
                    Ok(Change::Reload) | Err(RecvError::Lagged(_)) => operation = self.operation(&id).await?,
                    Ok(_) => {}
                    Err(RecvError::Closed) => break,
                }
            }
            Ok(operation)
        };
        let followed = tokio::select! {
            result = tokio::time::timeout(wait.timeout, following) => result.map_err(|_| ("wait_timeout", Exit::Network)),
            _ = tokio::signal::ctrl_c() => Err(("cancelled", Exit::Cancelled)),
        };
        let result = match followed {
            Ok(result) => result,
            // What is only recorded would be lost with a key of this run; what ended meanwhile is no longer left.
            Err((code, exit)) => match self.sent(&id).await {
                Some(ended) if text(&ended, "stage") == "settled" => Ok(ended),
                _ => Err(self.left(&id, code, exit)),
            },
        };
        bar.finish_and_clear();
        let operation = result?;
        if text(&operation, "stage") == "settled" {
            self.let_events_go().await;
        }
        Ok(operation)
    }

    fn left(&self, id: &str, code: &str, exit: Exit) -> Trouble {
        let sentence = match exit {
            Exit::Cancelled => self.output.say(
                "已停止等待；操作没有撤销，下次运行时会继续跟踪",
                "No longer waited for. The operation is not undone; the next run takes it up",
            ),
            _ => self.output.say(
                "等待超时；操作没有撤销，下次运行时会继续跟踪",
                "It took too long. The operation is not undone; the next run takes it up",
            ),
        };
        Trouble::new(
            code,
            format!("{sentence}: {id}"),
            Some(format!("`wangcheng operation show {id} --wait`")),
        )
        .ending(exit)
    }

    /// Shows people that something goes on.
    pub fn bar(&self) -> ProgressBar {
        if self.output.json {
            return ProgressBar::hidden();
        }
        // On standard error, and by itself only where that is a terminal.
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(STEP);
        bar
    }

    fn progress(&self, operation: &Value) -> String {
        let name = text(operation, "serverName");
        let doing = text(operation, "progress");
        let stage = match text(operation, "stage").as_str() {
            "recorded" => self.output.say("已记录", "recorded").to_owned(),
            _ if doing.is_empty() => self.output.say("进行中", "under way").to_owned(),
            _ => doing,
        };
        format!("{name}: {stage}")
    }

    /// Gives the events of what was done a moment to arrive.
    pub async fn let_events_go(&self) {
        let gone = async {
            loop {
                let Ok(delivery) = self.ask("delivery.status", Value::Null).await else {
                    return;
                };
                let state = text(&delivery, "state");
                let waiting = delivery.get("waiting").and_then(Value::as_u64).unwrap_or(0);
                if waiting == 0 || matches!(state.as_str(), "off" | "parked" | "waiting_to_retry") {
                    return;
                }
                tokio::time::sleep(STEP).await;
            }
        };
        // What does not arrive in time is sent by the next run.
        let _ = tokio::time::timeout(DELIVERY, gone).await;
    }
}

/// An error that came inside an answer.
pub fn wire(error: &Value, sent: bool) -> Trouble {
    let own = |key: &str| error.get(key).and_then(Value::as_str).map(str::to_owned);
    let error = api::WireError {
        code: own("code").unwrap_or_else(|| "internal".to_owned()),
        sentence: own("sentence").unwrap_or_default(),
        next_step: own("nextStep"),
        detail: own("detail"),
        provider_code: own("providerCode"),
        request_id: own("requestId"),
    };
    Trouble::Error {
        exit: Exit::of(&error.code, sent),
        error: Box::new(error),
    }
}

/// Now, as the domain's own clock has it.
pub fn now() -> chrono::DateTime<chrono::Utc> {
    Clock::system().now()
}

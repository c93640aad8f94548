//! Acts on the open server, step by step: another size, disks, and whatever a question is asked about; and how the
//! window says that they ended.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::screens;
use crate::walk::{ASYNCHRONY, Walk, id};
use crate::window::{Found, PATIENCE, testid};

/// How long thousands of events may take from the platform, on a machine that does much else.
const READING: Duration = Duration::from_secs(120);

/// How an operation ended, as the window shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// `ok`, `failed` or `cancelled`.
    pub state: String,
    /// The stable code of what went wrong.
    pub code: Option<String>,
    /// Everything that stands beside the list of operations about it.
    pub words: String,
}

impl Walk<'_> {
    /// Clicks one after the other: what opens a question about the open server, and what answers it. Where there is but
    /// one, the act asks nothing.
    ///
    /// # Errors
    /// When one cannot be clicked, or the question stays.
    pub async fn ask(&mut self, buttons: &[&str]) -> Result<()> {
        match buttons {
            [asked @ .., answer] if !asked.is_empty() => {
                for button in asked {
                    self.click(button).await?;
                }
                self.answer(answer).await
            }
            [act] => self.click(act).await,
            _ => Ok(()),
        }
    }

    /// Answers the question that is open, and waits until it is gone.
    ///
    /// # Errors
    /// When the button cannot be clicked, or the question stays.
    pub async fn answer(&mut self, button: &str) -> Result<()> {
        self.click(button).await?;
        self.window.wait_gone(&testid(button), PATIENCE).await
    }

    /// Opens the form of a new name and sends that name.
    ///
    /// # Errors
    /// When the form is missing or stays.
    pub async fn rename(&mut self, name: &str) -> Result<()> {
        self.click("server-rename").await?;
        self.fill("rename-name", name).await?;
        self.answer("rename-submit").await
    }

    /// Adds a tag to the open server.
    ///
    /// # Errors
    /// When the form is missing or stays.
    pub async fn tag(&mut self, key: &str, value: &str) -> Result<()> {
        self.click("server-tags").await?;
        self.click("tag-add").await?;
        self.fill("tag-key", key).await?;
        self.fill("tag-value", value).await?;
        self.answer("tags-submit").await
    }

    /// Sets another password for the open server.
    ///
    /// # Errors
    /// When the form is missing or stays.
    pub async fn password(&mut self, password: &str) -> Result<()> {
        self.click("server-password").await?;
        self.fill("password-new", password).await?;
        self.answer("password-submit").await
    }

    /// Deletes the disk of that size, which is on nothing, after its name was typed.
    ///
    /// # Errors
    /// When there is no such disk, or the question stays.
    pub async fn delete_disk(&mut self, gb: u32) -> Result<()> {
        // Its name stands in its row, and is read before the question lies over it.
        let row = format!(
            "{}[data-size=\"{gb}\"][data-attached=\"false\"] bdi.truncate",
            testid(id::DISK_ROW)
        );
        let name = self.window.attribute(&row, "title").await?;
        let name = name.context("a disk has no name")?;
        self.on_disk(gb, false, "disk-delete").await?;
        self.fill("disk-delete-name", &name).await?;
        self.answer("disk-delete-submit").await
    }

    /// Clicks what stands beside the disk of that size, once it is on the server (or on nothing).
    ///
    /// # Errors
    /// When there is no such disk in time, or nothing of the kind beside it.
    pub async fn on_disk(&mut self, gb: u32, attached: bool, button: &str) -> Result<()> {
        let row = format!(
            "{}[data-size=\"{gb}\"][data-attached=\"{attached}\"]",
            testid(id::DISK_ROW)
        );
        self.window.find(&row).await?;
        self.window.click(&format!("{row} {}", testid(button))).await
    }

    /// Goes to the operations and waits until the newest of that kind, one that was not asked about before, is over.
    ///
    /// # Errors
    /// When there is none, or it does not end in time.
    pub async fn ended(&mut self, kind: &str) -> Result<Ended> {
        self.click(id::NAV_OPERATIONS).await?;
        let others: String = self
            .seen
            .iter()
            .map(|seen| format!(":not([data-operation-id=\"{seen}\"])"))
            .collect();
        let row = format!("{}[data-kind=\"{kind}\"]{others}", testid(id::OPERATION_ROW));
        let over = ["ok", "failed", "cancelled"];
        let state = self
            .window
            .wait_attribute(&row, "data-state", &over, ASYNCHRONY)
            .await?;
        let seen = self.window.attribute(&row, "data-operation-id").await?;
        self.seen
            .push(seen.context("an operation has no data-operation-id")?);
        self.dismiss().await?;
        // WebKit's driver does not click a table's row, only what is in it.
        self.window
            .click(&format!(
                "{}[data-operation-id=\"{}\"] td",
                testid(id::OPERATION_ROW),
                self.seen.last().map(String::as_str).unwrap_or_default()
            ))
            .await?;
        let pane = testid("side-pane");
        self.window.find(&pane).await?;
        let code = format!("{pane} {}", testid(id::ERROR_BOX));
        let code = match self.window.count(&code).await? {
            0 => None,
            _ => self.window.attribute(&code, "data-code").await?,
        };
        let words = self.window.text(&pane).await?;
        self.picture("operation").await?;
        screens::close(self.window).await?;
        Ok(Ended { state, code, words })
    }

    /// Waits for a failure of that code, and gives what is said of it. There may be others beside it.
    ///
    /// # Errors
    /// When it is not shown in time.
    pub async fn told(&mut self, code: &str) -> Result<String> {
        let told = format!("{}[data-code=\"{code}\"]", testid(id::ERROR_BOX));
        let words = self.window.text(&told).await?;
        self.picture(code).await?;
        Ok(words)
    }

    /// Reads everybody's events from the platform, and waits until all of them are here.
    ///
    /// # Errors
    /// When it does not end well in time.
    pub async fn pull(&mut self) -> Result<()> {
        self.click("nav-usage").await?;
        self.click("usage-part-sources").await?;
        self.click("reading-pull").await?;
        let ends = ["done", "failed", "cancelled"];
        let state = self
            .window
            .wait_attribute(&testid("reading"), "data-state", &ends, READING)
            .await?;
        if state != "done" {
            bail!(
                "reading ended as {state}: {}",
                self.window.text(&testid("reading")).await?
            );
        }
        self.picture("pulled").await?;
        self.click("usage-part-overview").await
    }

    /// Takes away what is told in the corner, which lies over what is below.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn dismiss(&mut self) -> Result<()> {
        let script = format!(
            "document.querySelectorAll('{} > button').forEach((one) => one.click())",
            testid("toast")
        );
        self.window.script(&script).await.map(drop)
    }

    /// Gives the open server the first other size that is offered, waits until that is over, and gives the flavor.
    ///
    /// # Errors
    /// When no size is offered, or the change does not end in time.
    pub async fn resize(&mut self) -> Result<String> {
        self.click(id::SERVER_RESIZE).await?;
        let option = testid(id::RESIZE_OPTION);
        let flavor = self
            .window
            .attribute(&option, "data-flavor")
            .await?
            .context("a size has no data-flavor")?;
        // WebKit's driver does not click a table's row, only what is in it.
        self.window.click(&format!("{option} td")).await?;
        self.picture("resize").await?;
        self.click(id::RESIZE_SUBMIT).await?;
        self.settled(id::RESIZE_SUBMIT).await?;
        self.picture("resized").await?;
        Ok(flavor)
    }

    /// Adds a disk to the open server, after its price was shown, and waits until it is attached.
    ///
    /// # Errors
    /// When no price is shown, or the disk does not come in time.
    pub async fn add_disk(&mut self, gb: u32) -> Result<()> {
        self.ask_disk(gb).await?;
        self.has_disk(gb).await?;
        self.picture("disk-added").await
    }

    /// Asks for another disk, after its price was shown, and waits until that is over, whatever comes of it.
    ///
    /// # Errors
    /// When no price is shown, or it does not end in time.
    pub async fn ask_disk(&mut self, gb: u32) -> Result<()> {
        self.click(id::DISK_ADD).await?;
        self.size_disk(gb).await
    }

    /// Grows the disk of the open server that has so many GB, after its price was shown; gives what is left to type in
    /// the guest.
    ///
    /// # Errors
    /// When there is no such disk, no price is shown, or the disk does not grow in time.
    pub async fn grow_disk(&mut self, from: u32, to: u32) -> Result<String> {
        self.ask_growth(from, to).await?;
        self.has_disk(to).await?;
        self.picture("disk-grown").await?;
        self.window.text(&testid(id::GUEST_COMMANDS)).await
    }

    /// Asks for a disk to be grown, after its price was shown, and waits until that is over, whatever comes of it.
    ///
    /// # Errors
    /// When there is no such disk, no price is shown, or it does not end in time.
    pub async fn ask_growth(&mut self, from: u32, to: u32) -> Result<()> {
        self.on_disk(from, true, id::DISK_GROW).await?;
        self.size_disk(to).await
    }

    /// Types a size, waits for its price, and sends it.
    async fn size_disk(&mut self, gb: u32) -> Result<()> {
        self.fill(id::DISK_SIZE, &gb.to_string()).await?;
        let price = testid(id::DISK_PRICE);
        self.window
            .wait("the price of the disk", PATIENCE, async || {
                let amount = self.window.peek_attribute(&price, "data-amount").await?;
                Ok(match amount {
                    Some(amount) if !amount.is_empty() => Found::Yes(()),
                    _ => Found::NotYet("there is none".to_owned()),
                })
            })
            .await?;
        self.picture("disk-size").await?;
        self.click(id::DISK_SIZE_SUBMIT).await?;
        self.settled(id::DISK_SIZE_SUBMIT).await
    }

    async fn has_disk(&self, gb: u32) -> Result<()> {
        let row = format!(
            "{}[data-size=\"{gb}\"][data-attached=\"true\"]",
            testid(id::DISK_ROW)
        );
        self.window.find(&row).await.map(drop)
    }

    /// Waits until a dialog has closed and what it asked for is over.
    async fn settled(&self, submit: &str) -> Result<()> {
        self.window.wait_gone(&testid(submit), PATIENCE).await?;
        self.window
            .wait_gone(&testid(id::SERVER_OPERATION), ASYNCHRONY)
            .await
    }
}

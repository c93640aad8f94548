//! Acts on the open server, step by step: another size, disks.

use anyhow::{Context, Result};

use crate::walk::{ASYNCHRONY, Walk, id};
use crate::window::{Found, PATIENCE, testid};

impl Walk<'_> {
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
        self.click(id::DISK_ADD).await?;
        self.size_disk(gb).await?;
        self.picture("disk-added").await
    }

    /// Grows the disk of the open server that has so many GB, after its price was shown; gives what is left to type in
    /// the guest.
    ///
    /// # Errors
    /// When there is no such disk, no price is shown, or the disk does not grow in time.
    pub async fn grow_disk(&mut self, from: u32, to: u32) -> Result<String> {
        let row = format!("{}[data-size=\"{from}\"]", testid(id::DISK_ROW));
        self.window
            .click(&format!("{row} {}", testid(id::DISK_GROW)))
            .await?;
        self.size_disk(to).await?;
        self.picture("disk-grown").await?;
        self.window.text(&testid(id::GUEST_COMMANDS)).await
    }

    /// Types a size, waits for its price, sends it, and waits for a disk of that size.
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
        self.settled(id::DISK_SIZE_SUBMIT).await?;
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

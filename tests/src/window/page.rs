//! What a person does on the page and sees there, by CSS selector.

use std::time::Duration;

use anyhow::{Context, Result};
use fantoccini::Locator;
use fantoccini::elements::Element;
use serde_json::Value;

use super::{CommandError, Found, PATIENCE, Window, testid};

impl Window {
    /// The element that `css` selects, waited for. It may go stale when the page redraws: prefer the verbs below.
    ///
    /// # Errors
    /// When it does not appear in time.
    pub async fn find(&self, css: &str) -> Result<Element> {
        self.wait(&format!("{css} on the page"), PATIENCE, async || {
            Ok(Found::Yes(
                self.command(self.client.find(Locator::Css(css))).await?,
            ))
        })
        .await
    }

    /// [`Window::find`] by `data-testid`.
    ///
    /// # Errors
    /// When it does not appear in time.
    pub async fn by_testid(&self, id: &str) -> Result<Element> {
        self.find(&testid(id)).await
    }

    /// How many elements `css` selects now.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn count(&self, css: &str) -> Result<usize> {
        Ok(self.command(self.client.find_all(Locator::Css(css))).await?.len())
    }

    /// Clicks what `css` selects, as soon as it can be clicked.
    ///
    /// # Errors
    /// When it cannot be clicked in time: not there, hidden, covered or disabled.
    pub async fn click(&self, css: &str) -> Result<()> {
        self.wait(&format!("a click on {css}"), PATIENCE, async || {
            let element = self.command(self.client.find(Locator::Css(css))).await?;
            if !self.command(element.is_enabled()).await? {
                return Ok(Found::NotYet("it is disabled".to_owned()));
            }
            Ok(Found::Yes(self.command(element.click()).await?))
        })
        .await
    }

    /// Replaces what stands in the field that `css` selects by `text`, typed.
    ///
    /// # Errors
    /// When the field cannot be typed into in time, or holds something else afterwards.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        self.wait(&format!("{css} to take its text"), PATIENCE, async || {
            let field = self.command(self.client.find(Locator::Css(css))).await?;
            self.command(field.clear()).await?;
            if !text.is_empty() {
                self.command(field.send_keys(text)).await?;
            }
            let held = self.command(field.prop("value")).await?.unwrap_or_default();
            // what it holds may be a secret, so the text of the failure does not show it
            Ok(if held == text {
                Found::Yes(())
            } else {
                Found::NotYet("it holds something else".to_owned())
            })
        })
        .await
    }

    /// Chooses the option of that value in the `<select>` that `css` selects.
    ///
    /// # Errors
    /// When it has no such option in time.
    pub async fn choose(&self, css: &str, value: &str) -> Result<()> {
        self.wait(&format!("{css} to offer {value}"), PATIENCE, async || {
            let list = self.command(self.client.find(Locator::Css(css))).await?;
            self.command(list.select_by_value(value)).await?;
            Ok(Found::Yes(()))
        })
        .await
    }

    /// The text a person sees in what `css` selects.
    ///
    /// # Errors
    /// When it does not appear in time.
    pub async fn text(&self, css: &str) -> Result<String> {
        self.wait(&format!("the text of {css}"), PATIENCE, async || {
            Ok(Found::Yes(self.peek_text(css).await?))
        })
        .await
    }

    /// The text of what `css` selects now, for probes of [`Window::wait`].
    ///
    /// # Errors
    /// When it is not there now.
    pub async fn peek_text(&self, css: &str) -> Result<String, CommandError> {
        let element = self.command(self.client.find(Locator::Css(css))).await?;
        self.command(element.text()).await
    }

    /// An attribute of what `css` selects now, for probes of [`Window::wait`].
    ///
    /// # Errors
    /// When the element is not there now.
    pub async fn peek_attribute(&self, css: &str, name: &str) -> Result<Option<String>, CommandError> {
        let element = self.command(self.client.find(Locator::Css(css))).await?;
        self.command(element.attr(name)).await
    }

    /// An attribute of what `css` selects; nothing when it has none.
    ///
    /// # Errors
    /// When the element does not appear in time.
    pub async fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        self.wait(&format!("the attribute {name} of {css}"), PATIENCE, async || {
            Ok(Found::Yes(self.peek_attribute(css, name).await?))
        })
        .await
    }

    /// Waits until what `css` selects shows `part`, and gives its whole text.
    ///
    /// # Errors
    /// When it does not in time; the text says what it showed instead.
    pub async fn wait_text(&self, css: &str, part: &str) -> Result<String> {
        self.wait(&format!("{css} to show {part:?}"), PATIENCE, async || {
            let text = self.peek_text(css).await?;
            Ok(if text.contains(part) {
                Found::Yes(text)
            } else {
                Found::NotYet(format!("it shows {text:?}"))
            })
        })
        .await
    }

    /// Waits, up to `deadline`, until the attribute `name` of what `css` selects is one of `values`; gives the value.
    ///
    /// # Errors
    /// When it is not in time; the text says what it was instead.
    pub async fn wait_attribute(
        &self,
        css: &str,
        name: &str,
        values: &[&str],
        deadline: Duration,
    ) -> Result<String> {
        self.wait(
            &format!("{name} of {css} to be one of {values:?}"),
            deadline,
            async || {
                let element = self.command(self.client.find(Locator::Css(css))).await?;
                let value = self.command(element.attr(name)).await?.unwrap_or_default();
                Ok(if values.contains(&value.as_str()) {
                    Found::Yes(value)
                } else {
                    Found::NotYet(format!("it is {value:?}"))
                })
            },
        )
        .await
    }

    /// Waits, up to `deadline`, until `css` selects nothing.
    ///
    /// # Errors
    /// When it still selects something then.
    pub async fn wait_gone(&self, css: &str, deadline: Duration) -> Result<()> {
        self.wait(&format!("{css} to go"), deadline, async || {
            let left = self.command(self.client.find_all(Locator::Css(css))).await?.len();
            Ok(if left == 0 {
                Found::Yes(())
            } else {
                Found::NotYet(format!("{left} left"))
            })
        })
        .await
    }

    /// Runs the body of a function in the page and gives what it returns.
    ///
    /// # Errors
    /// When the script throws or the window does not answer.
    pub async fn script(&self, body: &str) -> Result<Value> {
        self.command(self.client.execute(body, Vec::new()))
            .await
            .context("the script failed")
    }

    /// What the body of a function returns in the page now, for probes of [`Window::wait`].
    ///
    /// # Errors
    /// When the script throws or the window does not answer.
    pub async fn peek_script(&self, body: &str) -> Result<Value, CommandError> {
        self.command(self.client.execute(body, Vec::new())).await
    }

    /// Presses a key or types text where the focus is.
    ///
    /// # Errors
    /// When nothing can take it.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let element = self.command(self.client.active_element()).await?;
        Ok(self.command(element.send_keys(keys)).await?)
    }
}

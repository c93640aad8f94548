//! What is asked and shown about templates.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use crate::arguments::Template;
use crate::output::{table, text};
use crate::servers::confirm;
use crate::session::Session;
use crate::trouble::{Result, Trouble};

/// More than any file of templates has.
const MOST: u64 = 4 * 1024 * 1024;

/// Templates.
pub async fn template(session: &Session, command: &Template) -> Result<()> {
    let output = session.output;
    let templates = match command {
        Template::List => session.ask("templates.list", Value::Null).await?,
        Template::Show { template } => {
            let all = session.ask("templates.list", Value::Null).await?;
            let found = all
                .as_array()
                .into_iter()
                .flatten()
                .find(|one| one.get("id").and_then(Value::as_str) == Some(template));
            return output.json(found.ok_or_else(|| unknown(session, template))?);
        }
        Template::Save { file } => {
            let text = input(session, file)?;
            let template: Value = serde_json::from_str(&text).map_err(|error| {
                let sentence = output.say("这不是 JSON", "This is not JSON");
                Trouble::new("template_invalid", format!("{sentence}: {error}"), None)
            })?;
            session.ask("templates.save", template).await?
        }
        Template::Remove { template, yes } => {
            if !yes {
                output.note(&format!(
                    "{} {template}",
                    output.say("将移除模板", "This template is removed:")
                ));
                confirm(session, "template", template)?;
            }
            session
                .ask("templates.remove", json!({"template": template}))
                .await?
        }
        Template::Export => {
            let exported = session.ask("templates.export", Value::Null).await?;
            // The file itself, whoever reads it: it is JSON.
            return output.line(exported.get("file").and_then(Value::as_str).unwrap_or_default());
        }
        Template::Import { file } => {
            let text = input(session, file)?;
            session.ask("templates.import", json!({"file": text})).await?
        }
    };
    output.answer(&templates, || {
        let (head, name) = match output.tongue {
            api::Tongue::Chinese => (["ID", "名称", "vCPU", "内存 GiB", "租期（小时）"], "nameZh"),
            api::Tongue::English => (["ID", "NAME", "VCPUS", "MEMORY GIB", "LEASE HOURS"], "nameEn"),
        };
        table(
            &head,
            templates.as_array().into_iter().flatten().map(|template| {
                ["id", name, "vcpus", "ramGb", "leaseHours"]
                    .into_iter()
                    .map(|key| text(template, key))
                    .collect()
            }),
        )
    })
}

fn unknown(session: &Session, template: &str) -> Trouble {
    let output = session.output;
    Trouble::new(
        "template_unknown",
        format!(
            "{}: {template}",
            output.say("没有此模板", "There is no such template")
        ),
        Some(
            output
                .say(
                    "参见 `wangcheng template list`。",
                    "See `wangcheng template list`.",
                )
                .to_owned(),
        ),
    )
}

/// The text of a file, or of standard input.
pub fn input(session: &Session, file: &Path) -> Result<String> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(MOST).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(MOST).read_to_string(&mut text))
    };
    read.map(|_| text).map_err(|error| {
        let sentence = session.output.say("无法读取文件", "The file cannot be read");
        Trouble::new(
            "bad_input",
            format!("{sentence}: {}: {error}", file.display()),
            None,
        )
    })
}

//! The embedded region for the demo mode of window and command line: started in this program, or found where a running
//! `wangcheng-sandbox` announced itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::StartDemo;
use sandbox::{Announcement, Options, Running, Sandbox};
use tokio::sync::Mutex;
use wangcheng::accounts::Credentials;
use wangcheng::{CloudRegion, Code, Demo, DemoUser, Endpoints, Failure, Result};

/// The region's id, its people (name and role) and how it is started.
pub fn embedded(announced: Option<PathBuf>) -> (String, Vec<(String, String)>, StartDemo) {
    // Kept here for as long as the program runs, so that going there a second time finds the same region.
    let running: Arc<Mutex<Option<Running>>> = Arc::default();
    let start: StartDemo = Arc::new(move |dir: PathBuf| {
        let (running, announced) = (running.clone(), announced.clone());
        Box::pin(async move {
            let announcement = match announced {
                Some(file) => read(&file).await?,
                None => start(&running, &dir).await?,
            };
            demo(&announcement)
        })
    });
    (sandbox::users::REGION.to_owned(), people(), start)
}

fn people() -> Vec<(String, String)> {
    sandbox::users::people()
        .map(|(name, role)| (name.to_owned(), role.to_string()))
        .collect()
}

fn unavailable(error: impl ToString) -> Failure {
    Failure::new(Code::DemoUnavailable).saying(error)
}

async fn read(file: &Path) -> Result<Announcement> {
    let text = tokio::fs::read(file).await.map_err(unavailable)?;
    serde_json::from_slice(&text).map_err(unavailable)
}

async fn start(running: &Mutex<Option<Running>>, dir: &Path) -> Result<Announcement> {
    let mut running = running.lock().await;
    if let Some(region) = running.as_ref() {
        return Ok(region.announcement());
    }
    tokio::fs::create_dir_all(dir).await.map_err(unavailable)?;
    let options = Options {
        state_file: Some(dir.join("region.json")),
        receiver_file: Some(dir.join("receiver.db")),
        ..Options::default()
    };
    let region = Sandbox::start(options).await.map_err(unavailable)?;
    Ok(running.insert(region).announcement())
}

fn demo(announcement: &Announcement) -> Result<(Endpoints, Demo)> {
    let mut endpoints = Endpoints::empty();
    for region in &announcement.regions {
        let services: BTreeMap<_, _> = announcement
            .global
            .iter()
            .chain(&region.endpoints)
            // A service that the client does not know is not called either.
            .filter_map(|(service, url)| {
                Some((
                    serde_json::from_value(service.as_str().into()).ok()?,
                    url.parse().ok()?,
                ))
            })
            .collect();
        endpoints = endpoints
            .with_region(CloudRegion {
                id: region.id.as_str().into(),
                name_zh: Some(region.name_zh.clone()),
                name_en: Some(region.name_en.clone()),
                endpoints: services,
            })
            .map_err(unavailable)?;
    }
    let first = announcement.regions.first().ok_or(Code::DemoUnavailable)?;
    let users = announcement.users.iter().map(|user| DemoUser {
        name: user.name.clone(),
        role: user.role.to_string(),
        credentials: Credentials::permanent(user.access_key.as_str(), user.secret_key.as_str()),
    });
    let demo = Demo {
        guests: announcement.control.parse().ok(),
        region: first.id.clone(),
        users: users.collect(),
        hei_url: announcement.hei.url.parse().map_err(unavailable)?,
        hei_token: announcement.hei.token.as_str().into(),
    };
    Ok((endpoints, demo))
}

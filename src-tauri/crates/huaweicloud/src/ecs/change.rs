//! Changing a server: its name, its size, its password; and its console.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::catalogue::Flavor;
use crate::client::{Call, Client, Listing, Reply};
use crate::endpoints::Service;
use crate::error::Error;
use crate::ids::{FlavorId, JobId, ProjectId, ServerId};
use crate::{lenient, wire};

const PAGE: usize = 1000;

/// `UpdateServer`: gives a server another name, another description, or both. What is `None` stays.
///
/// A name has 1 to 64 letters (Chinese too), digits, `_`, `-` and `.`; a description up to 85 characters without
/// `<` and `>`. The name that the guest itself goes by does not change.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=UpdateServer>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such server, [`crate::ErrorKind::Invalid`] for a text that is not
/// allowed, or another of [`crate::ErrorKind`].
pub async fn update_server(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    name: Option<&str>,
    description: Option<&str>,
) -> Result<Reply<()>, Error> {
    let path = ["v1", project.as_str(), "cloudservers", server.as_str()];
    let body = wire::body(json!({ "server": { "name": name, "description": description } }));
    let call = Call::put(Service::Ecs, "UpdateServer", path, body);
    Ok(client.send(&call).await?.reply(()))
}

/// `ListResizeFlavors`, all pages: the flavors that a server can change to.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ListResizeFlavors>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such server, or another of [`crate::ErrorKind`].
pub async fn resize_flavors(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
) -> Result<Reply<Listing<Flavor>>, Error> {
    let call = |marker: Option<&str>| {
        let path = ["v1", project.as_str(), "cloudservers", "resize_flavors"];
        let call = Call::get(Service::Ecs, "ListResizeFlavors", path)
            .with("instance_uuid", server.as_str())
            .with("limit", PAGE.to_string());
        match marker {
            Some(marker) => call.with("marker", marker),
            None => call,
        }
    };
    client
        .list("flavors", Some(PAGE), call, |flavor: &Flavor| {
            flavor.id.to_string()
        })
        .await
}

/// `ResizeServer`: changes the flavor of a pay-per-use server. A running server is stopped for it and started
/// again if `stop_first`; without that the server must be stopped already.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ResizeServer>
///
/// # Errors
/// [`crate::ErrorKind::State`] if the server is not stopped, [`crate::ErrorKind::Capacity`] if the flavor is sold
/// out, [`crate::ErrorKind::Quota`], [`crate::ErrorKind::BadAnswer`] if the answer names no job (of a server paid
/// by the month it names an order), or another of [`crate::ErrorKind`].
pub async fn resize(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    flavor: &FlavorId,
    stop_first: bool,
) -> Result<Reply<JobId>, Error> {
    wire::started_job(send_resize(client, project, server, flavor, stop_first, false).await?)
}

/// `ResizeServer` as a dry run: the cloud checks everything and changes nothing.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ResizeServer>
///
/// # Errors
/// As [`resize`].
pub async fn check_resize(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    flavor: &FlavorId,
    stop_first: bool,
) -> Result<Reply<()>, Error> {
    Ok(send_resize(client, project, server, flavor, stop_first, true)
        .await?
        .reply(()))
}

async fn send_resize(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    flavor: &FlavorId,
    stop_first: bool,
    dry_run: bool,
) -> Result<crate::client::Answer, Error> {
    let path = [
        "v1.1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "resize",
    ];
    let mode = stop_first.then_some("withStopServer");
    let body = json!({
        "resize": { "flavorRef": flavor, "mode": mode },
        "dry_run": dry_run.then_some(true),
    });
    client
        .send(&Call::post(Service::Ecs, "ResizeServer", path, wire::body(body)))
        .await
}

/// `ShowResetPasswordFlag`: whether the plug-in that resets passwords runs in the guest; `None` if the cloud does
/// not know.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ShowResetPasswordFlag>
///
/// # Errors
/// [`crate::ErrorKind::Missing`] if there is no such server, or another of [`crate::ErrorKind`].
pub async fn can_reset_password(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
) -> Result<Reply<Option<bool>>, Error> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "lenient::flag")]
        resetpwd_flag: Option<bool>,
    }
    let path = [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "os-resetpwd-flag",
    ];
    let call = Call::get(Service::Ecs, "ShowResetPasswordFlag", path);
    Ok(client
        .send(&call)
        .await?
        .read::<Body>()?
        .map(|body| body.resetpwd_flag))
}

/// `ResetServerPassword`: gives `root` or `Administrator` a new password, of 8 to 26 characters of at least three
/// classes; the cloud is asked to check that. It holds after the next start. Whether the guest took it is not
/// reported: see [`can_reset_password`] first.
///
/// API page: <https://console.huaweicloud.com/apiexplorer/#/openapi/ECS/doc?api=ResetServerPassword>
///
/// # Errors
/// [`crate::ErrorKind::Invalid`] if the password is too weak, [`crate::ErrorKind::Missing`] if there is no such
/// server, or another of [`crate::ErrorKind`].
pub async fn reset_password(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
    password: &SecretString,
) -> Result<Reply<()>, Error> {
    let path = [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "os-reset-password",
    ];
    let body = wire::body(json!({
        "reset-password": { "new_password": password.expose_secret(), "is_check_password": true },
    }));
    let call = Call::put(Service::Ecs, "ResetServerPassword", path, body);
    Ok(client.send(&call).await?.reply(()))
}

/// A way to a server's screen and keyboard.
#[derive(Clone, Deserialize)]
pub struct RemoteConsole {
    /// The protocol: `vnc`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub protocol: String,
    /// Its kind: `novnc`, a web page.
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    pub kind: String,
    /// The page's address. It carries a token that is good once and for some minutes, so whoever has the address
    /// has the console: never keep or log it.
    #[serde(deserialize_with = "lenient::required")]
    pub url: SecretString,
}

impl fmt::Debug for RemoteConsole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteConsole")
            .field("protocol", &self.protocol)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// `ShowServerRemoteConsole`: a fresh address of the server's console. Its port (8002) is closed in many company
/// networks, and a login there needs a password. Each call leaves a `remoteConsole` trace.
///
/// API page: <https://support.huaweicloud.com/api-ecs/ecs_02_0208.html>
///
/// # Errors
/// [`crate::ErrorKind::State`] if the server does not run, [`crate::ErrorKind::Missing`] if there is none, or
/// another of [`crate::ErrorKind`].
pub async fn remote_console(
    client: &Client,
    project: &ProjectId,
    server: &ServerId,
) -> Result<Reply<RemoteConsole>, Error> {
    let path = [
        "v1",
        project.as_str(),
        "cloudservers",
        server.as_str(),
        "remote_console",
    ];
    let body = wire::body(json!({ "remote_console": { "protocol": "vnc", "type": "novnc" } }));
    let call = Call::post(Service::Ecs, "ShowServerRemoteConsole", path, body);
    wire::only_member(client.send(&call).await?, "remote_console")
}

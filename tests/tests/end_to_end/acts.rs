//! Acts on a server that is there.

use serde_json::Value;
use wangcheng_tests::desktop::Keychain;
use wangcheng_tests::programs;
use wangcheng_tests::walk::{Album, Walk};

use super::{DELIVERY, Stage, assert_no_gap};

#[tokio::test]
async fn a_server_gets_another_size_and_a_disk_that_grows_and_each_is_told() {
    let stage = Stage::set(Keychain::Unlocked, 8.0).await;
    let window = stage.open("en", "light").await;
    window.set_size(1280, 800).await.unwrap();
    let album = Album::new(&programs::target_dir().unwrap().join("end-to-end").join("acts"));
    let mut walk = Walk::with_album(&window, album);
    let name = "changing-01";
    walk.running(name).await.unwrap();
    let created = stage
        .sandbox
        .wait_event("server.created", "ok", DELIVERY)
        .await
        .unwrap();
    walk.open_server(name).await.unwrap();

    let flavor = walk.resize().await.unwrap();
    let resized = stage
        .sandbox
        .wait_event("server.resized", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(resized["flavor"], *flavor, "the size that was chosen");
    assert_ne!(resized["flavor"], created["flavor"], "another than it had");
    walk.wait_running(name).await.unwrap();

    walk.add_disk(20).await.unwrap();
    let attached = stage
        .sandbox
        .wait_event("disk.attached", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(attached["disk_gb"], 20, "{attached}");
    let commands = walk.grow_disk(20, 50).await.unwrap();
    assert!(
        commands.contains("/dev/vdb") || commands.contains("resize2fs") || commands.contains("xfs_growfs"),
        "what is left to do in the guest is named: {commands}"
    );
    let extended = stage
        .sandbox
        .wait_event("disk.extended", "ok", DELIVERY)
        .await
        .unwrap();
    assert_eq!(
        (&extended["disk_gb_before"], &extended["disk_gb"]),
        (&Value::from(20), &Value::from(50)),
        "{extended}"
    );
    walk.wait_delivered().await.unwrap();
    assert_no_gap(&stage.sandbox.events().await.unwrap());
    window.close().await.unwrap();
}

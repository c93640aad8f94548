//! The list of servers by keyboard alone, how it is shown and that this is remembered, and names that would be something
//! else.

use serde_json::{Value, json};
use wangcheng_tests::desktop::{Desktop, Keychain};
use wangcheng_tests::peers::Sandbox;
use wangcheng_tests::screens;
use wangcheng_tests::walk::{Walk, id};
use wangcheng_tests::window::{Found, PATIENCE, Window, testid};

use super::{SETTLED, Stage, says};

const DOWN: &str = "\u{e015}";
const UP: &str = "\u{e013}";
const HOME: &str = "\u{e011}";
const END: &str = "\u{e010}";
const PAGE_DOWN: &str = "\u{e00f}";
const SHIFT: &str = "\u{e008}";
const RELEASE: &str = "\u{e000}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// How many more servers there are than the region begins with: enough that not all are in the document.
const CROWD: u32 = 300;

async fn crowded() -> Stage {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let sandbox = Sandbox::start_with(&desktop.dir().join("sandbox"), 8.0, CROWD)
        .await
        .unwrap();
    let data = desktop.dir().join("data");
    Stage {
        sandbox,
        data,
        desktop,
    }
}

/// Waits until the script gives that value.
async fn comes_to(window: &Window, what: &str, script: &str, wanted: Value) {
    window
        .wait(what, PATIENCE, async || {
            let now = window.peek_script(script).await?;
            Ok(if now == wanted {
                Found::Yes(())
            } else {
                Found::NotYet(format!("it is {now}, not {wanted}"))
            })
        })
        .await
        .unwrap();
}

/// The server whose row has the focus and whether its details are open, its number in the list, and how many are marked.
const FOCUS: &str = "const row = document.activeElement.closest('[data-testid=\"server-row\"]'); \
    const open = document.querySelector('[data-testid=\"server-detail\"]'); \
    const bar = document.querySelector('[data-testid=\"bulk-bar\"]'); \
    return [row && row.dataset.serverName, row && row.dataset.serverId === (open && open.dataset.serverId), \
            bar ? Number(bar.dataset.count) : 0]";

async fn keyboard(language: &str) {
    let stage = crowded().await;
    let window = stage.open(language, "light").await;
    window.set_size(1400, 800).await.unwrap();
    Walk::new(&window).demo().await.unwrap();
    let all = format!(
        "return Number(document.querySelector('{}').getAttribute('aria-rowcount'))",
        testid(id::SERVERS_TABLE)
    );
    comes_to(&window, "the whole list", &all, json!(CROWD + 3 + 1)).await;
    // In the order of their names, batch-0000 first.
    window.click(&testid("servers-sort-name")).await.unwrap();
    let focus = async |name: &str, open: bool, marked: u32| {
        comes_to(
            &window,
            &format!("the focus on {name}"),
            FOCUS,
            json!([name, open, marked]),
        )
        .await;
    };

    screens::control(&window, "2").await.unwrap();
    window
        .wait_gone(&testid(id::SERVERS_TABLE), PATIENCE)
        .await
        .unwrap();
    screens::control(&window, "1").await.unwrap();
    window.by_testid(id::SERVERS_TABLE).await.unwrap();
    screens::control(&window, "f").await.unwrap();
    window.press(DOWN).await.unwrap();
    focus("batch-0000", false, 0).await;
    window.press(DOWN).await.unwrap();
    focus("batch-0001", true, 0).await;
    window.press(UP).await.unwrap();
    focus("batch-0000", true, 0).await;
    window.press(END).await.unwrap();
    focus("team-wiki", true, 0).await;
    window.press(HOME).await.unwrap();
    focus("batch-0000", true, 0).await;
    window.press(PAGE_DOWN).await.unwrap();
    let reached = window.script(FOCUS).await.unwrap();
    assert!(
        reached[0].as_str().is_some_and(|name| name > "batch-0008"),
        "a page is more than a few rows: {reached}"
    );
    window.press(HOME).await.unwrap();
    focus("batch-0000", true, 0).await;

    window.press(" ").await.unwrap();
    focus("batch-0000", true, 1).await;
    window
        .press(&format!("{SHIFT}{DOWN}{DOWN}{RELEASE}"))
        .await
        .unwrap();
    focus("batch-0002", false, 3).await;
    screens::control(&window, "a").await.unwrap();
    focus("batch-0002", false, CROWD + 3).await;
    window.press(ESCAPE).await.unwrap();
    focus("batch-0002", false, 0).await;
    // Into the details, to what can be done there, and back to the row.
    window.press(ENTER).await.unwrap();
    focus("batch-0002", true, 0).await;
    let adopt = format!(
        "return document.activeElement.dataset.testid === 'server-adopt' || \
         document.activeElement.closest('{}') !== null",
        testid(id::SERVER_DETAIL)
    );
    for _ in 0..12 {
        if window.script(&adopt).await.unwrap() == true {
            break;
        }
        window.press(TAB).await.unwrap();
    }
    let there = window.script(&adopt).await.unwrap();
    let focused = "return document.activeElement.outerHTML.slice(0, 300)";
    let focused = window.script(focused).await.unwrap();
    assert_eq!(there, true, "the Tab key comes to the details, not to {focused}");
    window.press(ESCAPE).await.unwrap();
    window
        .wait_gone(&testid(id::SERVER_DETAIL), PATIENCE)
        .await
        .unwrap();
    focus("batch-0002", false, 0).await;

    // The question mark lists every shortcut.
    window.press("?").await.unwrap();
    window.wait_text(&testid("shortcuts"), "Ctrl").await.unwrap();
    window.close().await.unwrap();
}

#[tokio::test]
async fn the_list_is_walked_marked_and_left_by_keyboard_alone_in_english() {
    keyboard("en").await;
}

#[tokio::test]
async fn the_list_is_walked_marked_and_left_by_keyboard_alone_in_chinese() {
    keyboard("zh-CN").await;
}

/// The columns by what sorts them, which of them sorts and how, the first names, and whether it is filtered.
const VIEW: &str = "const headings = Array.from(document.querySelectorAll('[data-testid=\"servers-table\"] th[aria-sort]')); \
    return [headings.map((one) => one.querySelector('button').dataset.testid.replace('servers-sort-', '')), \
            headings.map((one) => one.ariaSort).filter((sort) => sort !== 'none'), \
            Array.from(document.querySelectorAll('[data-testid=\"server-row\"]'), (row) => row.dataset.serverName).slice(0, 3), \
            document.querySelector('[data-testid=\"servers-filter\"]')?.dataset.filtered]";

async fn view(language: &str) {
    let stage = crowded().await;
    let window = stage.open(language, "dark").await;
    window.set_size(1400, 800).await.unwrap();
    Walk::new(&window).demo().await.unwrap();
    window.by_testid(id::SERVER_ROW).await.unwrap();

    window.fill(&testid("servers-search"), "夜间构建").await.unwrap();
    let first = format!(
        "return Array.from(document.querySelectorAll('{}'), (row) => row.dataset.serverName)",
        testid(id::SERVER_ROW)
    );
    comes_to(
        &window,
        "the server of that purpose",
        &first,
        json!(["bo-build-01"]),
    )
    .await;
    window
        .fill(&testid("servers-search"), "nothing-like-it")
        .await
        .unwrap();
    window.click(&testid("servers-widen")).await.unwrap();

    let menu = async |trigger: &str, items: &[&str]| {
        window.click(&testid(trigger)).await.unwrap();
        for item in items {
            window.click(item).await.unwrap();
        }
        window.press(ESCAPE).await.unwrap();
        window.wait_gone(".menu", PATIENCE).await.unwrap();
    };
    menu(
        "servers-filter",
        &[
            &testid("filter-state-running"),
            "[data-testid=\"filter-owner\"][data-value=\"of ada\"]",
        ],
    )
    .await;
    menu(
        "servers-columns",
        &[
            &testid("column-cost"),
            &testid("column-created"),
            &testid("column-flavor"),
        ],
    )
    .await;
    window.click(&testid("servers-sort-name")).await.unwrap();
    window.click(&testid("servers-sort-name")).await.unwrap();
    let wanted = json!([
        ["name", "state", "lease", "address", "size", "owner", "flavor"],
        ["descending"],
        ["batch-0299", "batch-0298", "batch-0297"],
        "true"
    ]);
    comes_to(&window, "the list as it was asked for", VIEW, wanted.clone()).await;
    // What the page keeps for itself is written by WebKit a moment later.
    tokio::time::sleep(SETTLED).await;
    window.close().await.unwrap();

    let window = stage.open(language, "dark").await;
    window.set_size(1400, 800).await.unwrap();
    comes_to(&window, "the list as it was left", VIEW, wanted).await;
    let title = window
        .attribute(&testid("servers-filter"), "title")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(title, says(language, "Filter", "筛选"));
    window.close().await.unwrap();
}

#[tokio::test]
async fn search_sort_filter_and_columns_show_what_was_asked_for_and_are_remembered_in_english() {
    view("en").await;
}

#[tokio::test]
async fn search_sort_filter_and_columns_show_what_was_asked_for_and_are_remembered_in_chinese() {
    view("zh-CN").await;
}

/// Names that would be markup, turn the direction of what follows, or be longer than there is room.
fn hostile() -> [String; 4] {
    [
        "<img src=x onerror=\"window.hurt=1\"><script>window.hurt=1</script>".to_owned(),
        "\u{202e}txt.evil\u{202c} 服务器 🚀👩‍💻".to_owned(),
        "خادم-التجربة-01".to_owned(),
        "w".repeat(180),
    ]
}

#[tokio::test]
async fn names_that_are_markup_turn_the_direction_or_have_no_end_are_shown_as_text() {
    let desktop = Desktop::start(Keychain::Unlocked).await.unwrap();
    let dir = desktop.dir().join("sandbox");
    // The names are given where no rule of the cloud's stands in the way: in what it keeps.
    Sandbox::start_with(&dir, 8.0, 1)
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let file = dir.join("sandbox.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let mut names = hostile().into_iter();
    rename(&mut state, &mut names);
    assert_eq!(names.next(), None, "a server for each name");
    std::fs::write(&file, state.to_string()).unwrap();
    let sandbox = Sandbox::start(&dir, 8.0).await.unwrap();
    let data = desktop.dir().join("data");
    let stage = Stage {
        sandbox,
        data,
        desktop,
    };

    let window = stage.open("zh-CN", "light").await;
    window.set_size(1280, 800).await.unwrap();
    Walk::new(&window).demo().await.unwrap();
    window.by_testid(id::SERVER_ROW).await.unwrap();
    let shown = window
        .script(&format!(
            "return Array.from(document.querySelectorAll('{} bdi.name'), (one) => one.textContent)",
            testid(id::SERVER_ROW)
        ))
        .await
        .unwrap();
    let shown: Vec<String> = serde_json::from_value(shown).unwrap();
    for name in hostile() {
        let plain = name.replace(['\u{202e}', '\u{202c}'], "");
        assert!(
            shown.iter().any(|one| {
                let kept: String = one.chars().filter(|sign| plain.contains(*sign)).collect();
                kept == plain
            }),
            "{name:?} among {shown:?}"
        );
    }
    assert!(
        shown.iter().all(|name| !name.contains(['\u{202e}', '\u{202c}'])),
        "what turns the direction does not: {shown:?}"
    );
    let (rows, own) = (testid(id::SERVER_ROW), testid(id::SERVERS_TABLE));
    for (number, row) in (0..4).map(|at| (at, format!("{rows}[aria-rowindex=\"{}\"] bdi", at + 2))) {
        window.click(&row).await.unwrap();
        window.by_testid(id::SERVER_DETAIL).await.unwrap();
        let fits = window
            .script("return document.documentElement.scrollWidth <= innerWidth")
            .await
            .unwrap();
        assert_eq!(fits, true, "nothing is wider than the window ({number})");
        if window.count(&testid("server-adopt")).await.unwrap() > 0 {
            window.click(&testid("server-adopt")).await.unwrap();
            window.find("dialog[open]").await.unwrap();
        }
        screens::close(&window).await.unwrap();
    }
    assert_eq!(
        window
            .count(&format!("{own} img, {own} script, dialog img"))
            .await
            .unwrap(),
        0,
        "markup makes no element"
    );
    let hurt = window.script("return window.hurt ?? null").await.unwrap();
    assert_eq!(hurt, Value::Null, "and runs nothing");
    window.close().await.unwrap();
}

/// Gives the servers of the first region in the file of the embedded region these names, as long as there are any.
fn rename(state: &mut Value, names: &mut impl Iterator<Item = String>) {
    let servers = state
        .pointer_mut("/world/regions/0/servers")
        .and_then(Value::as_object_mut)
        .expect("the file has servers");
    for server in servers.values_mut() {
        if let Some(name) = names.next() {
            server["name"] = json!(name);
        }
    }
}

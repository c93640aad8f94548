//! The TypeScript that the interface is written against, made from the table of calls.

use std::collections::BTreeMap;
use std::fmt::Write;

use ts_rs::{Config, TS, TypeVisitor};

use crate::calls::signatures;
use crate::views::{Change, DeleteServer};

const HEAD: &str = "// Generated from Rust (crate `api`) by `cargo xtask bindings`. Do not edit.\n";

/// A call as TypeScript sees it.
pub(crate) struct Signature {
    pub name: &'static str,
    pub method: &'static str,
    pub request: String,
    pub answer: String,
}

/// Collects declarations, each once, in the order of their names.
struct Declarations<'a> {
    config: &'a Config,
    found: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        // Only types with a file of their own have a declaration; the others are written where they stand.
        if T::output_path().is_none() {
            T::visit_generics(self);
            return;
        }
        let name = T::ident(self.config);
        if self.found.contains_key(&name) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        self.found
            .insert(name, format!("{docs}export {}", T::decl(self.config)));
        T::visit_dependencies(self);
    }
}

/// The whole file.
pub fn typescript() -> String {
    let config = Config::default().with_large_int("number");
    let mut declarations = Declarations {
        config: &config,
        found: BTreeMap::new(),
    };
    crate::calls::visit_types(&mut declarations);
    declarations.visit::<Change>();
    declarations.visit::<DeleteServer>();
    declarations.visit::<crate::views::sessions::SessionAct>();
    declarations.visit::<crate::views::sessions::SessionsStart>();
    declarations.visit::<crate::views::files::FilesAct>();
    declarations.visit::<crate::views::files::FilesAnswer>();
    declarations.visit::<crate::views::files::LocalAct>();
    declarations.visit::<crate::views::files::FileDrag>();
    declarations.visit::<crate::views::recordings::RecordingsAct>();
    declarations.visit::<crate::views::recordings::RecordingsAnswer>();
    declarations.visit::<crate::views::tunnels::TunnelAct>();
    declarations.visit::<crate::WireError>();
    let mut text = String::from(HEAD);
    for declaration in declarations.found.values() {
        let _ = write!(text, "\n{declaration}\n");
    }
    text.push_str("\n/** Sends one call to the backend; rejects with a WireError. */\n");
    text.push_str("export type Call = <Answer>(name: string, request: unknown) => Promise<Answer>;\n");
    text.push_str(
        "\n/** Every call that the interface can make. */\nexport const calls = (call: Call) => ({\n",
    );
    let mut rooms: Vec<(&str, Vec<Signature>)> = Vec::new();
    for signature in signatures(&config) {
        let room = signature
            .name
            .split_once('.')
            .map_or(signature.name, |(room, _)| room);
        match rooms.last_mut() {
            Some((last, calls)) if *last == room => calls.push(signature),
            _ => rooms.push((room, vec![signature])),
        }
    }
    for (room, calls) in rooms {
        let _ = writeln!(text, "  {room}: {{");
        for Signature {
            name,
            method,
            request,
            answer,
        } in calls
        {
            let _ = if request == "null" {
                writeln!(text, "    {method}: () => call<{answer}>(\"{name}\", null),")
            } else {
                writeln!(
                    text,
                    "    {method}: (request: {request}) => call<{answer}>(\"{name}\", request),"
                )
            };
        }
        text.push_str("  },\n");
    }
    text.push_str("});\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_stands_in_the_typescript_and_no_secret_comes_back() {
        let text = typescript();
        for name in crate::names() {
            assert!(text.contains(&format!("\"{name}\"")), "{name}");
        }
        for answer in ["Account", "Delivery", "AppInfo", "Settings"] {
            let (_, declaration) = text.split_once(&format!("export type {answer} =")).unwrap();
            let declaration = declaration.split("\nexport ").next().unwrap();
            for word in ["secretKey", "accessKey", "securityToken", "token:"] {
                assert!(!declaration.contains(word), "{answer} must not carry {word}");
            }
        }
    }
}

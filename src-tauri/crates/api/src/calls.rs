//! The table of all calls.

use std::path::PathBuf;

use futures::future::BoxFuture;
use secrecy::SecretString;
use serde_json::Value;
use ts_rs::TS;
use wangcheng::costs::Costs;
use wangcheng::delivery::Configuration;
use wangcheng::grants::{Audit, Found, Grant, Lasts, Policies};
use wangcheng::imports::{FoundKey, SignInFound};
use wangcheng::templates::TemplateOrigins;
use wangcheng::usage::{
    BillsRead, Budget, BudgetState, UsageAsk, UsageChoices, UsageCut, UsageEvent, UsageForecast, UsageOwners,
    UsageServers, UsageSource, UsageSummary, UsageTimeline, UsageTop,
};
use wangcheng::{Code, Failure, Result};

use crate::diagnostics::{Bundle, ShowFolder};
use crate::export::{ExportUsage, Exported};
use crate::host::Api;
use crate::links::Wished;
use crate::rehearsal::{Rehearse, Rehearsed};
use crate::typescript::Signature;
use crate::views::change::{
    AdmitSsh, DeleteServers, ExtendLeases, OwnAddress, RenameServer, ResetPassword, ResizeOptions,
    ResizeServer, TagServer,
};
use crate::views::disks::{
    AddDisk, AskDiskCommands, AskDiskPrice, DeleteDisk, Deletion, DiskCommands, DiskList, DiskPrice, DiskRef,
    GrowDisk, Leftovers, PerLeftover, RemoveLeftovers,
};
use crate::views::facts::{
    AskBill, AskWaste, Bill, ConfigureSearch, Elsewhere, PlatformStatement, Reading, Search, SearchTrial,
    TrySearch, Waste,
};
use crate::views::grants::{GrantStanding, Invitation, JoinOrganisation, OpenInvitation};
use crate::views::office::{
    ActOnFinding, AskAudit, AskDuties, AskLink, DutyRight, JoinLink, Office, Passphrase, PublishGrant,
    RestoreOffice, RevokeGrant, SignedGrant, office,
};
use crate::views::sessions::{ChosenKey, OpenScreen, OpenSession, Session};
use crate::views::{
    Account, AccountRef, Accounts, AppInfo, Beginning, Catalogue, ConfigureDelivery, CreateServer,
    DeleteServer, Delivery, DeliveryTest, EventPage, ExtendLease, FindKeys, ListEvents, Operation,
    OperationRef, PerServer, Power, PublicKeys, Quote, RefusedEvent, Region, Rights, SavedKey, SendAgain,
    ServerList, ServerRef, Settings, SignIn, SignInDemo, Template, TemplateFile, TemplateRef, event,
};

/// How many servers one call takes.
const MOST_AT_ONCE: usize = 100;

/// One line a call: its name on the wire, its name in TypeScript, its request, its answer, what it does.
macro_rules! calls {
    ($($(#[$doc:meta])* $name:literal $method:literal ($api:ident, $request:ident: $ask:ty) -> $answer:ty $body:block)*) => {
        /// Hands a request to its handler.
        pub(crate) async fn dispatch(api: &Api, name: &str, request: Value) -> Result<Value> {
            match name {
                $($name => {
                    // Each on the heap: together they are more than a thread's stack has room for.
                    fn handle(api: &Api, request: Value) -> BoxFuture<'_, Result<Value>> {
                        Box::pin(async move {
                            let $api = api;
                            let $request: $ask = read(request)?;
                            let answer: Result<$answer> = async move { $body }.await;
                            let answer = answer?;
                            serde_json::to_value(answer).map_err(|error| Failure::new(Code::Internal).saying(error))
                        })
                    }
                    handle(api, request).await
                })*
                _ => Err(Failure::new(Code::BadInput).with("field", "name")),
            }
        }

        /// The names of all calls.
        pub fn names() -> &'static [&'static str] {
            &[$($name),*]
        }

        pub(crate) fn visit_types(visitor: &mut impl ts_rs::TypeVisitor) {
            $(visitor.visit::<$ask>(); visitor.visit::<$answer>();)*
        }

        pub(crate) fn signatures(config: &ts_rs::Config) -> Vec<Signature> {
            vec![$(Signature {
                name: $name,
                method: $method,
                request: <$ask as TS>::name(config),
                answer: <$answer as TS>::name(config),
            }),*]
        }
    };
}

/// A request that cannot be read is refused without quoting it, because there may be a secret in it.
fn read<T: serde::de::DeserializeOwned>(request: Value) -> Result<T> {
    serde_json::from_value(request).map_err(|_| Failure::new(Code::BadInput).with("field", "request"))
}

calls! {
    "app.info" "info" (api, _r: ()) -> AppInfo { api.info().await }
    /// Everything that a window begins with, in one answer.
    "app.beginning" "beginning" (api, _r: ()) -> Beginning { api.beginning().await }

    "app.wishes" "wishes" (api, _r: ()) -> Vec<Wished> { Ok(api.take_wishes()) }
    "app.show_folder" "showFolder" (api, ask: ShowFolder) -> () { api.show_folder(ask.folder).await }
    "app.print" "print" (api, _r: ()) -> () { api.print() }
    "app.diagnostics" "diagnostics" (api, _r: ()) -> Bundle { api.diagnostics().await }

    "settings.get" "get" (api, _r: ()) -> Settings { api.settings().await }
    "settings.set" "set" (api, settings: Settings) -> Settings { api.set_settings(settings).await }

    "accounts.list" "list" (api, _r: ()) -> Accounts { api.accounts().await }
    "accounts.regions" "regions" (api, _r: ()) -> Vec<Region> { api.regions().await }
    "accounts.sign_in" "signIn" (api, ask: SignIn) -> Account {
        let domain = api.domain().await?;
        let credentials = huaweicloud_credentials(&ask);
        let signed_in = domain
            .sign_in(wangcheng::accounts::SignIn {
                name: ask.name,
                region: ask.region,
                credentials,
                project_id: ask.project_id,
                remember: ask.remember,
            })
            .await?;
        Ok(api.speaker(&domain).account(signed_in))
    }
    "accounts.sign_in_demo" "signInDemo" (api, ask: SignInDemo) -> Account {
        let domain = api.enter_demo().await?;
        let signed_in = domain.sign_in_demo(&ask.user, ask.remember).await?;
        Ok(api.speaker(&domain).account(signed_in))
    }
    "accounts.find_keys" "findKeys" (api, ask: FindKeys) -> Vec<FoundKey> {
        let file = ask.file.map(|file| file.trim().into());
        api.domain().await?.find_keys(key_places(), file).await
    }
    "accounts.sign_in_found" "signInFound" (api, ask: SignInFound) -> Account {
        let domain = api.domain().await?;
        let signed_in = domain.sign_in_found(key_places(), ask).await?;
        Ok(api.speaker(&domain).account(signed_in))
    }
    "accounts.rights" "rights" (api, ask: AccountRef) -> Rights {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).rights(domain.rights(&ask.account).await?))
    }
    "accounts.select" "select" (api, ask: AccountRef) -> Accounts {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).accounts(domain.select_account(&ask.account).await?))
    }
    "accounts.retry" "retry" (api, ask: AccountRef) -> Accounts {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).accounts(domain.retry_account(&ask.account).await?))
    }
    "accounts.sign_out" "signOut" (api, ask: AccountRef) -> Accounts { api.sign_out(&ask.account).await }

    "servers.list" "list" (api, _r: ()) -> ServerList { api.servers().await }
    "servers.refresh" "refresh" (api, _r: ()) -> ServerList {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).servers(domain.refresh_servers().await?))
    }
    "servers.catalogue" "catalogue" (api, _r: ()) -> Catalogue {
        Ok(api.domain().await?.catalogue().await?.as_ref().clone())
    }
    "servers.quote" "quote" (api, ask: CreateServer) -> Quote {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).quote(domain.quote(&ask).await?))
    }
    "servers.create" "create" (api, ask: CreateServer) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.create_server(&ask).await?))
    }
    "servers.extend" "extend" (api, ask: ExtendLease) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.extend_lease(&ask.server, ask.until).await?))
    }
    "servers.power" "power" (api, ask: Power) -> Vec<PerServer> {
        few(ask.servers.len())?;
        let domain = api.domain().await?;
        let speaker = api.speaker(&domain);
        let mut results = Vec::with_capacity(ask.servers.len());
        for server in ask.servers {
            let result = domain.power(&server, ask.act, ask.hard).await;
            results.push(speaker.per_server(server, result));
        }
        Ok(results)
    }
    "servers.extend_several" "extendSeveral" (api, ask: ExtendLeases) -> Vec<PerServer> {
        few(ask.servers.len())?;
        let domain = api.domain().await?;
        let speaker = api.speaker(&domain);
        let mut results = Vec::with_capacity(ask.servers.len());
        for server in ask.servers {
            let result = domain.extend_lease(&server, ask.until).await;
            results.push(speaker.per_server(server, result));
        }
        Ok(results)
    }
    "servers.delete_several" "deleteSeveral" (api, ask: DeleteServers) -> Vec<PerServer> {
        few(ask.servers.len())?;
        let domain = api.domain().await?;
        let speaker = api.speaker(&domain);
        let mut results = Vec::with_capacity(ask.servers.len());
        for DeleteServer { server, name } in ask.servers {
            let result = domain.delete_server(&server, &name).await;
            results.push(speaker.per_server(server, result));
        }
        Ok(results)
    }
    "servers.resize_options" "resizeOptions" (api, ask: ServerRef) -> ResizeOptions {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).resize_options(domain.resize_options(&ask.server).await?))
    }
    "servers.resize" "resize" (api, ask: ResizeServer) -> Operation {
        let domain = api.domain().await?;
        let operation = domain.resize_server(&ask.server, &ask.flavor, ask.may_stop).await?;
        Ok(api.speaker(&domain).operation(operation))
    }
    "servers.rename" "rename" (api, ask: RenameServer) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.rename_server(&ask.server, &ask.name).await?))
    }
    "servers.tag" "tag" (api, ask: TagServer) -> Operation {
        let domain = api.domain().await?;
        let set = ask.set.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Ok(api.speaker(&domain).operation(domain.tag_server(&ask.server, set, ask.remove).await?))
    }
    "servers.adopt" "adopt" (api, ask: ServerRef) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.adopt_server(&ask.server).await?))
    }
    "servers.reset_password" "resetPassword" (api, ask: ResetPassword) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.reset_password(&ask.server, ask.password).await?))
    }
    "servers.save_key" "saveKey" (api, ask: ServerRef) -> SavedKey {
        api.domain().await?.save_server_key(&ask.server).await
    }
    "servers.public_keys" "publicKeys" (api, ask: ServerRef) -> PublicKeys {
        api.domain().await?.server_public_keys(&ask.server).await
    }
    "servers.cancel_lease" "cancelLease" (api, ask: ServerRef) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.cancel_lease(&ask.server).await?))
    }
    "servers.delete" "delete" (api, ask: DeleteServer) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.delete_server(&ask.server, &ask.name).await?))
    }

    "servers.deletion" "deletion" (api, ask: ServerRef) -> Deletion {
        api.domain().await?.deletion(&ask.server).await
    }
    "servers.costs" "costs" (api, _r: ()) -> Costs { api.domain().await?.costs().await }
    "servers.mark_parts" "markParts" (api, ask: ServerRef) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.mark_parts(&ask.server).await?))
    }
    "servers.leftovers" "leftovers" (api, _r: ()) -> Leftovers { api.domain().await?.leftovers().await }
    "servers.remove_leftovers" "removeLeftovers" (api, ask: RemoveLeftovers) -> Vec<PerLeftover> {
        if ask.items.len() > MOST_AT_ONCE {
            return Err(Failure::new(Code::BadInput).with("field", "items"));
        }
        let domain = api.domain().await?;
        let speaker = api.speaker(&domain);
        let results = domain.remove_leftovers(ask.items).await?;
        Ok(results.into_iter().map(|(asked, result)| speaker.per_leftover(asked, result)).collect())
    }

    "sessions.list" "list" (api, _r: ()) -> Vec<Session> { api.sessions().await }
    "sessions.open" "open" (api, ask: OpenSession) -> Session {
        let session = api.open_session(&ask.server, api.how_of(ask.how.unwrap_or_default())?).await?;
        api.show_sessions();
        Ok(session)
    }
    "sessions.choose_key" "chooseKey" (api, _r: ()) -> Option<ChosenKey> { api.choose_key().await }
    "sessions.screen" "screen" (api, ask: OpenScreen) -> Session {
        let session = api.open_screen(&ask.server, ask.vnc).await?;
        api.show_sessions();
        Ok(session)
    }

    "disks.list" "list" (api, ask: ServerRef) -> DiskList { api.domain().await?.disks(&ask.server).await }
    "disks.price" "price" (api, ask: AskDiskPrice) -> DiskPrice { api.domain().await?.disk_price(&ask).await }
    "disks.commands" "commands" (api, ask: AskDiskCommands) -> DiskCommands {
        let domain = api.domain().await?;
        let commands = domain.disk_commands(&ask.server, &ask.disk, ask.purpose).await?;
        Ok(api.speaker(&domain).disk_commands(&commands))
    }
    "disks.add" "add" (api, ask: AddDisk) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.add_disk(&ask).await?))
    }
    "disks.grow" "grow" (api, ask: GrowDisk) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.grow_disk(&ask.server, &ask.disk, ask.size_gb).await?))
    }
    "disks.detach" "detach" (api, ask: DiskRef) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.detach_disk(&ask.server, &ask.disk).await?))
    }
    "disks.attach" "attach" (api, ask: DiskRef) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.attach_disk(&ask.server, &ask.disk).await?))
    }
    "disks.delete" "delete" (api, ask: DeleteDisk) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.delete_disk(&ask.server, &ask.disk, &ask.name).await?))
    }

    "networks.own_address" "ownAddress" (_api, _r: ()) -> OwnAddress {
        Ok(OwnAddress { address: wangcheng::networks::own_address().map(|address| address.to_string()) })
    }
    "networks.admit_ssh" "admitSsh" (api, ask: AdmitSsh) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.admit_ssh(&ask.address).await?))
    }

    "templates.list" "list" (api, _r: ()) -> Vec<Template> { api.domain().await?.templates().await }
    "templates.save" "save" (api, ask: Template) -> Vec<Template> { api.domain().await?.save_template(ask).await }
    "templates.remove" "remove" (api, ask: TemplateRef) -> Vec<Template> {
        api.domain().await?.remove_template(&ask.template).await
    }
    "templates.origins" "origins" (api, _r: ()) -> TemplateOrigins {
        api.domain().await?.template_origins().await
    }
    "templates.export" "export" (api, _r: ()) -> TemplateFile {
        Ok(TemplateFile { file: api.domain().await?.export_templates().await? })
    }
    "templates.import" "import" (api, ask: TemplateFile) -> Vec<Template> {
        api.domain().await?.import_templates(&ask.file).await
    }

    "operations.list" "list" (api, _r: ()) -> Vec<Operation> { api.operations().await }
    "operations.cancel" "cancel" (api, ask: OperationRef) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.cancel_operation(&ask.operation).await?))
    }

    "operations.rehearse" "rehearse" (api, ask: Rehearse) -> Rehearsed { api.rehearse(ask).await }
    "operations.shown" "shown" (api, ask: OperationRef) -> Rehearsed { api.shown(ask).await }

    "events.list" "list" (api, ask: ListEvents) -> EventPage {
        let (events, last_seq) = api.domain().await?.events(ask.before, ask.limit).await?;
        let more = events.last().is_some_and(|oldest| oldest.row.seq > 1);
        Ok(EventPage { events: events.into_iter().map(event).collect(), last_seq, more })
    }

    "platform.status" "status" (api, _r: ()) -> Search {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).search(domain.search_standing().await?))
    }
    "platform.configure" "configure" (api, ask: ConfigureSearch) -> Search {
        let domain = api.domain().await?;
        let (configuration, token) = search(ask)?;
        Ok(api.speaker(&domain).search(domain.configure_search(configuration, token).await?))
    }
    "platform.test" "test" (api, ask: TrySearch) -> SearchTrial {
        let domain = api.domain().await?;
        let trial = ask.with.map(search).transpose()?;
        Ok(api.speaker(&domain).search_trial(domain.test_search(trial).await?))
    }
    "platform.statements" "statements" (api, _r: ()) -> Vec<PlatformStatement> {
        let domain = api.domain().await?;
        let speaker = api.speaker(&domain);
        let statements = domain.dashboard_statements().await?;
        Ok(statements.into_iter().map(|statement| speaker.platform_statement(statement)).collect())
    }
    "platform.pull" "pull" (api, _r: ()) -> Reading {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).reading(domain.pull_events().await?))
    }
    "platform.import_chosen" "importChosen" (api, _r: ()) -> Option<Reading> { api.import_chosen().await }
    "platform.reading" "reading" (api, _r: ()) -> Reading {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).reading(domain.reading()))
    }
    "platform.cancel" "cancel" (api, _r: ()) -> Reading {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).reading(domain.cancel_reading()))
    }

    "usage.summary" "summary" (api, ask: UsageAsk) -> UsageSummary { api.domain().await?.usage_summary(ask).await }
    "usage.owners" "owners" (api, ask: UsageTop) -> UsageOwners { api.domain().await?.usage_owners(ask).await }
    "usage.servers" "servers" (api, ask: UsageTop) -> UsageServers { api.domain().await?.usage_servers(ask).await }
    "usage.timeline" "timeline" (api, ask: UsageTop) -> UsageTimeline {
        api.domain().await?.usage_timeline(ask).await
    }
    "usage.events" "events" (api, ask: ServerRef) -> Vec<UsageEvent> {
        api.domain().await?.usage_events(ask.server).await
    }
    "usage.choices" "choices" (api, _r: ()) -> UsageChoices { api.domain().await?.usage_choices().await }
    "usage.forecast" "forecast" (api, cut: UsageCut) -> UsageForecast {
        api.domain().await?.usage_forecast(cut).await
    }
    "usage.waste" "waste" (api, ask: AskWaste) -> Waste { api.domain().await?.waste(ask.whose).await }
    "usage.read_bills" "readBills" (api, ask: UsageAsk) -> BillsRead { api.domain().await?.read_bills(ask).await }
    "usage.bill" "bill" (api, ask: AskBill) -> Bill { api.domain().await?.bill(ask.month.trim()).await }
    "usage.elsewhere" "elsewhere" (api, _r: ()) -> Elsewhere { api.domain().await?.servers_elsewhere().await }
    "usage.export" "export" (api, ask: ExportUsage) -> Exported { api.save_usage(ask).await }
    "usage.sources" "sources" (api, _r: ()) -> Vec<UsageSource> { api.domain().await?.usage_sources().await }
    "usage.budgets" "budgets" (api, _r: ()) -> Vec<BudgetState> { api.domain().await?.budgets().await }
    "usage.set_budgets" "setBudgets" (api, budgets: Vec<Budget>) -> Vec<BudgetState> {
        api.domain().await?.set_budgets(budgets).await
    }

    "grants.standing" "standing" (api, _r: ()) -> GrantStanding {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).grant_standing(domain.grant_standing().await?))
    }
    "grants.invitation" "invitation" (api, ask: OpenInvitation) -> Invitation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).invitation(domain.invitation(&ask.link).await?))
    }
    "grants.join" "join" (api, ask: JoinOrganisation) -> GrantStanding {
        let domain = api.domain().await?;
        let handed = JoinOrganisation::handed(ask.token, ask.passphrase);
        domain.join(&ask.link, &ask.fingerprint, handed).await?;
        Ok(api.speaker(&domain).grant_standing(domain.grant_standing().await?))
    }
    "grants.refresh" "refresh" (api, _r: ()) -> GrantStanding {
        let domain = api.domain().await?;
        domain.refresh_grant().await?;
        Ok(api.speaker(&domain).grant_standing(domain.grant_standing().await?))
    }
    "grants.leave" "leave" (api, _r: ()) -> GrantStanding {
        let domain = api.domain().await?;
        domain.leave().await?;
        Ok(api.speaker(&domain).grant_standing(domain.grant_standing().await?))
    }

    "office.standing" "standing" (api, _r: ()) -> Option<Office> {
        Ok(api.domain().await?.office().await?.map(office))
    }
    "office.duties" "duties" (api, ask: AskDuties) -> Vec<DutyRight> {
        let domain = api.domain().await?;
        let speaker = api.speaker(&domain);
        Ok(domain.duties(ask.place.as_deref()).await?.into_iter().map(|right| speaker.duty(right)).collect())
    }
    "office.found" "found" (api, ask: Found) -> Office { Ok(office(api.domain().await?.found_organisation(ask).await?)) }
    "office.edit" "edit" (api, draft: Grant) -> Office { Ok(office(api.domain().await?.edit_grant(draft).await?)) }
    "office.audit" "audit" (api, ask: AskAudit) -> Audit { api.domain().await?.audit(ask.of).await }
    "office.act" "act" (api, ask: ActOnFinding) -> Operation {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).operation(domain.audit_act(&ask.server, ask.act).await?))
    }
    "office.sign" "sign" (api, ask: Lasts) -> SignedGrant {
        Ok(SignedGrant { file: api.domain().await?.sign_grant(&ask).await? })
    }
    "office.publish" "publish" (api, ask: PublishGrant) -> Office {
        Ok(office(api.domain().await?.publish_grant(ask.place.trim(), &ask.lasts).await?))
    }
    "office.revoke" "revoke" (api, ask: RevokeGrant) -> Office {
        Ok(office(api.domain().await?.revoke_grant(&ask.reason, &ask.lasts).await?))
    }
    "office.rotate" "rotate" (api, _r: ()) -> Office { Ok(office(api.domain().await?.rotate_signing_key().await?)) }
    "office.retire" "retire" (api, _r: ()) -> Office { Ok(office(api.domain().await?.retire_signing_key().await?)) }
    "office.link" "link" (api, ask: AskLink) -> JoinLink {
        let domain = api.domain().await?;
        let (link, fingerprint) =
            domain.join_link(ask.address.as_deref(), ask.with_hei, ask.passphrase).await?;
        Ok(JoinLink { link, fingerprint })
    }
    "office.back_up" "backUp" (api, ask: Passphrase) -> SignedGrant {
        Ok(SignedGrant { file: api.domain().await?.back_up_office(ask.passphrase).await? })
    }
    "office.restore" "restore" (api, ask: RestoreOffice) -> Office {
        Ok(office(api.domain().await?.restore_office(&ask.file, ask.passphrase, ask.remember).await?))
    }
    "office.policies" "policies" (api, _r: ()) -> Policies { api.domain().await?.grant_policies().await }

    "delivery.status" "status" (api, _r: ()) -> Delivery { api.delivery().await }
    "delivery.configure" "configure" (api, ask: ConfigureDelivery) -> Delivery {
        let domain = api.domain().await?;
        let configuration = Configuration {
            url: ask.url.trim().to_owned(),
            event_set: ask.event_set,
            datatype: ask.datatype,
            allow_plain_http: ask.allow_plain_http,
            preset: ask.preset,
            profile: ask.profile.map(profile).transpose()?,
        };
        let token: Option<SecretString> = ask.token;
        Ok(api.speaker(&domain).delivery(domain.configure_delivery(configuration, token).await?))
    }
    "delivery.test" "test" (api, _r: ()) -> DeliveryTest {
        let domain = api.domain().await?;
        let test = domain.test_delivery().await?;
        let problem = test.problem.as_ref().map(|failure| api.speaker(&domain).error(failure));
        Ok(DeliveryTest {
            ok: problem.is_none(),
            status: test.status,
            request: test.request,
            answer: test.answer,
            problem,
        })
    }
    "delivery.send_now" "sendNow" (api, _r: ()) -> Delivery {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).delivery(domain.send_now().await?))
    }
    "delivery.refused" "refused" (api, _r: ()) -> Vec<RefusedEvent> {
        let refused = api.domain().await?.refused_events(500).await?;
        Ok(refused.into_iter().map(refused_event).collect())
    }
    "delivery.export_refused" "exportRefused" (api, _r: ()) -> String {
        api.domain().await?.export_refused().await
    }
    "delivery.send_refused_again" "sendRefusedAgain" (api, ask: SendAgain) -> Delivery {
        let domain = api.domain().await?;
        Ok(api.speaker(&domain).delivery(domain.send_refused_again(ask.seq).await?))
    }
}

/// Where keys may lie ready on this computer.
fn key_places() -> wangcheng::imports::Places {
    let home = dirs::home_dir();
    wangcheng::imports::Places {
        variable: |name| std::env::var(name).ok(),
        profiles: std::env::var_os("HUAWEICLOUD_SDK_CREDENTIALS_FILE")
            .map(PathBuf::from)
            .or_else(|| Some(home.as_ref()?.join(".huaweicloud/credentials"))),
        downloads: [dirs::download_dir(), dirs::desktop_dir(), home]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// So many servers that one call takes them.
fn few(servers: usize) -> Result<()> {
    if servers > MOST_AT_ONCE {
        return Err(Failure::new(Code::BadInput).with("field", "servers"));
    }
    Ok(())
}

/// A field misspelt in a profile is said, instead of passed over.
fn profile(fields: Value) -> Result<wangcheng::delivery::Profile> {
    serde_json::from_value(fields).map_err(|error| {
        Failure::new(Code::BadInput)
            .with("field", "profile")
            .saying(error)
    })
}

/// The same for a profile of the search.
fn search(ask: ConfigureSearch) -> Result<(wangcheng::platform::SearchConfiguration, Option<SecretString>)> {
    let profile = ask
        .profile
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| {
            Failure::new(Code::SearchProfileInvalid)
                .with("field", "profile")
                .saying(error)
        })?;
    let configuration = wangcheng::platform::SearchConfiguration {
        url: ask.url.trim().to_owned(),
        event_set: ask.event_set,
        allow_plain_http: ask.allow_plain_http,
        preset: ask.preset,
        profile,
    };
    Ok((configuration, ask.token))
}

fn refused_event(refused: wangcheng::delivery::Refused) -> RefusedEvent {
    RefusedEvent {
        seq: refused.seq,
        time: refused.time,
        json: refused.json,
        reason: refused.reason,
        refused_at: refused.refused_at,
        attempts: refused.attempts,
        again: refused.again,
    }
}

fn huaweicloud_credentials(ask: &SignIn) -> wangcheng::accounts::Credentials {
    wangcheng::accounts::Credentials {
        access_key: ask.access_key.clone(),
        secret_key: ask.secret_key.clone(),
        security_token: ask.security_token.clone(),
    }
}

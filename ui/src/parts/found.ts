// What the palette offers for what was typed: actions, servers, templates and accounts, best first.
import { actions, groupWord, places, possible, type Action } from '../actions';
import { fit, plain } from '../fuzzy';
import type { Template } from '../host/generated';
import type { AppState, Row } from '../state.svelte';
import { locale, m, type Locale } from '../words/words.svelte';

export type Item = {
  /** Its name among all items; a safe `id` is made of its place in the list. */
  key: string;
  kind: 'action' | 'server' | 'template' | 'account';
  text: string;
  /** What stands beside it, quieter. */
  note: string;
  action: Action | null;
  row: Row | null;
  run: () => void | Promise<void>;
};

export type Section = { title: string; items: Item[] };

const SERVERS_MOST = 20;
const RECENT_MOST = 5;
const other = (): Locale => (locale() === 'en' ? 'zh-CN' : 'en');

const itemOf = (app: AppState, action: Action): Item => ({
  key: action.id,
  kind: 'action',
  text: action.word(),
  note: '',
  action,
  row: null,
  run: () => action.run(app),
});

function serverItem(app: AppState, row: Row): Item {
  const { server, operation } = row;
  const address = server?.addresses.find(({ kind }) => kind === 'public') ?? server?.addresses[0];
  return {
    key: `server ${row.key}`,
    kind: 'server',
    text: server?.name ?? operation?.serverName ?? '',
    note: address?.address ?? '',
    action: null,
    row,
    run: () => {
      if (server) app.showServerById(server.id);
      else if (operation) app.showServer(operation);
    },
  };
}

const templateItem = (app: AppState, template: Template): Item => ({
  key: `template ${template.id}`,
  kind: 'template',
  text: m.palette_create_from({ template: locale() === 'zh-CN' ? template.nameZh : template.nameEn }),
  note: '',
  action: null,
  row: null,
  run: () => app.desk.create(template.id, null),
});

/** A name, an address or an id; ids and addresses as a part that was copied, names as one remembers them. */
function fitServer({ server, operation }: Row, query: string): number | null {
  const name = fit(plain(server?.name ?? operation?.serverName ?? ''), query);
  if (server === null) return name;
  // Two signs of an address are in every address.
  const exact = query.length >= 3 && (plain(server.id).startsWith(query) || hasAddress(server.addresses, query));
  return exact ? 1500 : name;
}

const hasAddress = (addresses: readonly { address: string }[], query: string): boolean =>
  addresses.some(({ address }) => address.includes(query));

/** `recent`: names of items, the last one used first. */
export function found(
  app: AppState,
  typed: string,
  templates: readonly Template[],
  recent: readonly string[],
): Section[] {
  const query = plain(typed.trim());
  const offered = actions.filter((action) => action.id !== 'palette' && possible(action, app));
  if (query === '') return unasked(app, offered, templates, recent);

  const ranked: { item: Item; score: number; kind: number }[] = [];
  const add = (item: Item, score: number | null, kind: number) => {
    // What was used lately is meant more often.
    const used = recent.indexOf(item.key);
    if (score !== null) ranked.push({ item, score: score + (used >= 0 ? 60 - used * 10 : 0), kind });
  };
  for (const action of offered) {
    const words = [action.word(), action.word({}, { locale: other() })];
    const scores = words.map((word) => fit(plain(word), query)).filter((score) => score !== null);
    add(itemOf(app, action), scores.length > 0 ? Math.max(...scores) : null, 0);
  }
  for (const template of templates) {
    const words = [templateItem(app, template).text, template.nameZh, template.nameEn, template.id];
    const scores = words.map((word) => fit(plain(word), query)).filter((score) => score !== null);
    add(templateItem(app, template), scores.length > 0 ? Math.max(...scores) - 5 : null, 2);
  }
  for (const account of app.accounts.accounts) {
    if (account.id === app.accounts.active) continue;
    add(accountItem(app, account.id, account.name), fit(plain(account.name), query), 3);
  }
  const servers = app.rows
    .map((row) => ({ row, score: fitServer(row, query) }))
    .filter((one): one is { row: Row; score: number } => one.score !== null)
    .sort((one, another) => another.score - one.score)
    .slice(0, SERVERS_MOST);
  for (const { row, score } of servers) add(serverItem(app, row), score, 1);

  const titles = [m.palette_actions(), m.palette_servers(), m.palette_templates(), m.palette_accounts()];
  const sections = titles.map((title, kind) => {
    const mine = ranked.filter((one) => one.kind === kind).sort((one, another) => another.score - one.score);
    return { title, items: mine.map(({ item }) => item), best: mine[0]?.score ?? 0 };
  });
  return sections.filter(({ items }) => items.length > 0).sort((one, another) => another.best - one.best);
}

const accountItem = (app: AppState, id: string, name: string): Item => ({
  key: `account ${id}`,
  kind: 'account',
  text: m.palette_switch_account({ account: name }),
  note: '',
  action: null,
  row: null,
  run: () => app.selectAccount(id),
});

/** Nothing was typed yet: what was used lately, then everything in its groups. */
function unasked(
  app: AppState,
  offered: readonly Action[],
  templates: readonly Template[],
  recent: readonly string[],
): Section[] {
  const all = [
    ...offered.map((action) => itemOf(app, action)),
    ...templates.map((template) => templateItem(app, template)),
    ...app.rows.map((row) => serverItem(app, row)),
  ];
  const lately = recent
    .map((key) => all.find((item) => item.key === key))
    .filter((item) => item !== undefined)
    .slice(0, RECENT_MOST);
  const shown = new Set(lately.map(({ key }) => key));
  const rest = (group: Action['group']) =>
    offered.filter((action) => action.group === group && !shown.has(action.id)).map((action) => itemOf(app, action));
  const sections = [
    { title: m.palette_recent(), items: lately },
    { title: groupWord.server(), items: rest('server') },
    { title: groupWord.go(), items: rest('go') },
    { title: groupWord.do(), items: rest('do') },
    {
      title: m.palette_templates(),
      items: templates.filter(({ id }) => !shown.has(`template ${id}`)).map((one) => templateItem(app, one)),
    },
    { title: groupWord.application(), items: rest('application') },
  ];
  return sections.filter(({ items }) => items.length > 0);
}

/** Actions and templates are kept for the next start; a server's name or id is nothing to leave lying about. */
export const isKept = (key: string): boolean =>
  actions.some(({ id }) => id === key) || places.some(({ id }) => id === key) || key.startsWith('template ');

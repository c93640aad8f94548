// Every action once: the palette, the shortcuts and their list, the menus and the buttons all take it from here.
import Activity from '@lucide/svelte/icons/activity';
import CalendarClock from '@lucide/svelte/icons/calendar-clock';
import CalendarX from '@lucide/svelte/icons/calendar-x';
import ChartColumn from '@lucide/svelte/icons/chart-column';
import Code from '@lucide/svelte/icons/code';
import Command from '@lucide/svelte/icons/command';
import Copy from '@lucide/svelte/icons/copy';
import FileKey from '@lucide/svelte/icons/file-key';
import FolderOpen from '@lucide/svelte/icons/folder-open';
import HardDrive from '@lucide/svelte/icons/hard-drive';
import Keyboard from '@lucide/svelte/icons/keyboard';
import KeyRound from '@lucide/svelte/icons/key-round';
import Languages from '@lucide/svelte/icons/languages';
import LayoutTemplate from '@lucide/svelte/icons/layout-template';
import ListTree from '@lucide/svelte/icons/list-tree';
import Monitor from '@lucide/svelte/icons/monitor';
import Moon from '@lucide/svelte/icons/moon';
import Pencil from '@lucide/svelte/icons/pencil';
import Play from '@lucide/svelte/icons/play';
import Plus from '@lucide/svelte/icons/plus';
import Recycle from '@lucide/svelte/icons/recycle';
import RefreshCw from '@lucide/svelte/icons/refresh-cw';
import RotateCw from '@lucide/svelte/icons/rotate-cw';
import Rows3 from '@lucide/svelte/icons/rows-3';
import Scaling from '@lucide/svelte/icons/scaling';
import Search from '@lucide/svelte/icons/search';
import Send from '@lucide/svelte/icons/send';
import ServerIcon from '@lucide/svelte/icons/server';
import SettingsIcon from '@lucide/svelte/icons/settings';
import ShieldCheck from '@lucide/svelte/icons/shield-check';
import SquareTerminal from '@lucide/svelte/icons/square-terminal';
import Square from '@lucide/svelte/icons/square';
import Tags from '@lucide/svelte/icons/tags';
import Trash2 from '@lucide/svelte/icons/trash-2';
import UserPlus from '@lucide/svelte/icons/user-plus';
import type { Server } from './host/generated';
import { copyText } from './parts/clipboard';
import { whyNoConnect, whyNoScreen } from './screens/servers/acts';
import type { AppState, Screen } from './state.svelte';
import { locale, m, type Locale } from './words/words.svelte';

/** A message; the other language can be asked for, because people search in either. */
type Word = (inputs?: Record<string, never>, options?: { locale?: Locale }) => string;

export type Group = 'go' | 'server' | 'do' | 'application';

export type Action = {
  /** Its name for menus and for what is kept of use. Stable. */
  id: string;
  word: Word;
  icon: typeof ServerIcon;
  group: Group;
  keys?: string;
  /** Whether it can be done now; always, where it does not say. */
  when?: (app: AppState) => boolean;
  run: (app: AppState) => void | Promise<void>;
};

const own = (app: AppState): Server | null => {
  const row = app.screen === 'servers' ? app.selectedRow : null;
  return row?.server?.own && row.operation === null && row.server.state !== 'deleting' ? row.server : null;
};
const onServer = (app: AppState, act: (server: Server) => void): void => {
  const server = own(app);
  if (server) act(server);
};
/** One whose size, disks or password the cloud changes: it runs or is stopped. */
const atRest = (app: AppState): boolean => ['running', 'stopped'].includes(own(app)?.state ?? '');
/** The button that shows the call of what is on the screen. */
const callButton = (): HTMLButtonElement | null => document.querySelector('button[data-call]:not([disabled])');
const address = (app: AppState): string | null => {
  const addresses = (app.screen === 'servers' ? app.selectedRow?.server?.addresses : null) ?? [];
  return (addresses.find(({ kind }) => kind === 'public') ?? addresses[0])?.address ?? null;
};
const go = (id: Screen, word: Word, icon: typeof ServerIcon, keys?: string): Action => ({
  id: `go.${id}`,
  word,
  icon,
  group: 'go',
  ...(keys ? { keys } : {}),
  run: (app) => app.go(id),
});

/** The screens of the sidebar, in its order. */
export const places: readonly (Action & { screen: Screen })[] = [
  { ...go('servers', m.nav_servers, ServerIcon, 'Mod+1'), screen: 'servers' },
  { ...go('create', m.nav_create, Plus, 'Mod+N'), screen: 'create' },
  { ...go('operations', m.nav_operations, ListTree, 'Mod+2'), screen: 'operations' },
  { ...go('events', m.nav_events, Activity, 'Mod+3'), screen: 'events' },
  { ...go('templates', m.nav_templates, LayoutTemplate, 'Mod+4'), screen: 'templates' },
  { ...go('usage', m.nav_usage, ChartColumn, 'Mod+5'), screen: 'usage' },
  { ...go('grants', m.nav_grants, ShieldCheck, 'Mod+6'), screen: 'grants' },
  { ...go('settings', m.nav_settings, SettingsIcon, 'Mod+,'), screen: 'settings' },
];

export const actions: readonly Action[] = [
  {
    id: 'palette',
    word: m.action_palette,
    icon: Command,
    group: 'application',
    keys: 'Mod+K',
    run: (app) => {
      app.desk.palette = true;
    },
  },
  ...places,
  {
    id: 'server.connect',
    word: m.detail_connect,
    icon: SquareTerminal,
    group: 'server',
    keys: 'Mod+Enter',
    when: (app) => {
      const row = app.screen === 'servers' ? app.selectedRow : null;
      return row !== null && whyNoConnect(row) === null;
    },
    run: async (app) => {
      const server = app.selectedRow?.server;
      if (server) await app.host.sessions.open({ server: server.id, how: null });
    },
  },
  {
    id: 'server.screen',
    word: m.detail_screen,
    icon: Monitor,
    group: 'server',
    when: (app) => {
      const row = app.screen === 'servers' ? app.selectedRow : null;
      return row !== null && whyNoScreen(row) === null;
    },
    run: async (app) => {
      const server = app.selectedRow?.server;
      if (server) await app.host.sessions.screen({ server: server.id, vnc: null });
    },
  },
  {
    id: 'server.extend',
    word: m.detail_extend,
    icon: CalendarClock,
    group: 'server',
    keys: 'Mod+E',
    when: (app) => own(app) !== null,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'extend')),
  },
  {
    id: 'server.copy-address',
    word: m.action_copy_address,
    icon: Copy,
    group: 'server',
    keys: 'Mod+Shift+C',
    when: (app) => address(app) !== null,
    run: async (app) => {
      const text = address(app);
      if (text !== null) await copyText(text);
    },
  },
  {
    id: 'server.start',
    word: m.detail_start,
    icon: Play,
    group: 'server',
    when: (app) => own(app)?.state === 'stopped',
    run: async (app) => {
      const server = own(app);
      if (server) await app.power(server.id, 'start', false);
    },
  },
  {
    id: 'server.stop',
    word: m.detail_stop,
    icon: Square,
    group: 'server',
    when: (app) => own(app)?.state === 'running',
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'stop')),
  },
  {
    id: 'server.reboot',
    word: m.detail_reboot,
    icon: RotateCw,
    group: 'server',
    when: (app) => own(app)?.state === 'running',
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'reboot')),
  },
  {
    id: 'server.resize',
    word: m.action_resize,
    icon: Scaling,
    group: 'server',
    when: atRest,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'resize')),
  },
  {
    id: 'server.add-disk',
    word: m.disk_add,
    icon: HardDrive,
    group: 'server',
    when: atRest,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'add-disk')),
  },
  {
    id: 'server.rename',
    word: m.detail_rename,
    icon: Pencil,
    group: 'server',
    when: (app) => own(app) !== null,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'rename')),
  },
  {
    id: 'server.tags',
    word: m.action_tags,
    icon: Tags,
    group: 'server',
    when: (app) => own(app) !== null,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'tags')),
  },
  {
    id: 'server.password',
    word: m.detail_password,
    icon: KeyRound,
    group: 'server',
    when: atRest,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'password')),
  },
  {
    id: 'server.save-key',
    word: m.detail_save_key,
    icon: FileKey,
    group: 'server',
    when: (app) => own(app) !== null,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'save-key')),
  },
  {
    id: 'server.cancel-lease',
    word: m.detail_cancel_lease,
    icon: CalendarX,
    group: 'server',
    when: (app) => (own(app)?.leaseEnd ?? null) !== null,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'cancel-lease')),
  },
  {
    id: 'server.delete',
    word: m.detail_delete,
    icon: Trash2,
    group: 'server',
    keys: 'Mod+Backspace',
    when: (app) => own(app) !== null,
    run: (app) => onServer(app, ({ id }) => app.desk.act(id, 'delete')),
  },
  {
    id: 'refresh',
    word: m.servers_refresh,
    icon: RefreshCw,
    group: 'do',
    keys: 'Mod+R',
    run: (app) => app.loadServers(true),
  },
  {
    id: 'search',
    word: m.action_search,
    icon: Search,
    group: 'do',
    keys: 'Mod+F',
    when: () => document.querySelector('[data-search]') !== null,
    run: () => {
      const field = document.querySelector<HTMLInputElement>('[data-search]');
      field?.focus();
      field?.select();
    },
  },
  {
    id: 'call',
    word: m.call_show,
    icon: Code,
    group: 'do',
    when: () => callButton() !== null,
    run: () => callButton()?.click(),
  },
  {
    id: 'leftovers',
    word: m.leftovers_open,
    icon: Recycle,
    group: 'do',
    when: (app) => app.account?.state.kind === 'ready',
    run: (app) => app.showLeftovers(),
  },
  {
    id: 'delivery.send-now',
    word: m.action_send_now,
    icon: Send,
    group: 'do',
    when: (app) => (app.delivery?.waiting ?? 0) > 0,
    run: async (app) => {
      await app.deliver((delivery) => delivery.sendNow());
    },
  },
  {
    id: 'account.add',
    word: m.account_add,
    icon: UserPlus,
    group: 'do',
    run: (app) => app.go('add-account'),
  },
  {
    id: 'theme',
    word: m.action_theme,
    icon: Moon,
    group: 'application',
    run: (app) => {
      const dark = document.documentElement.dataset['theme'] === 'dark';
      return app.saveSettings({ theme: dark ? 'light' : 'dark' });
    },
  },
  {
    id: 'density',
    word: m.action_density,
    icon: Rows3,
    group: 'application',
    run: (app) => app.showDensity(app.density === 'compact' ? 'comfortable' : 'compact'),
  },
  {
    id: 'language',
    word: m.action_language,
    icon: Languages,
    group: 'application',
    run: (app) => app.saveSettings({ language: locale() === 'en' ? 'zh-CN' : 'en' }),
  },
  {
    id: 'data-folder',
    word: m.action_data_folder,
    icon: FolderOpen,
    group: 'application',
    run: async (app) => {
      await app.host.app.showFolder({ folder: 'data' });
    },
  },
  {
    id: 'shortcuts',
    word: m.action_shortcuts,
    icon: Keyboard,
    group: 'application',
    keys: '?',
    run: (app) => {
      app.desk.shortcuts = true;
    },
  },
];

export const actionById = (id: string): Action | undefined => actions.find((action) => action.id === id);

/** Whether it can be done now. */
export const possible = (action: Action, app: AppState): boolean => action.when?.(app) ?? true;

/** What the groups are called. */
export const groupWord: Record<Group, Word> = {
  go: m.palette_go,
  server: m.palette_selected,
  do: m.palette_do,
  application: m.palette_application,
};

// What lies over the screens: the command palette, the list of shortcuts, and wishes from outside of the window.
import { actionById } from './actions';
import type { Wish, Wished } from './host/generated';
import type { AppState, Screen } from './state.svelte';

/** What the form of a new server begins with. */
export type Draft = { name: string | null; purpose: string | null; hours: number | null };

/** What the detail of a server is to ask or do, as soon as it is shown. */
export type ServerAct =
  | 'extend'
  | 'cancel-lease'
  | 'stop'
  | 'reboot'
  | 'resize'
  | 'add-disk'
  | 'rename'
  | 'tags'
  | 'password'
  | 'save-key'
  | 'delete';

export class Desk {
  palette = $state(false);
  shortcuts = $state(false);
  /** Links that wait for a yes or no. */
  asked = $state.raw<readonly Wish[]>([]);
  wantedAct = $state.raw<{ server: string; act: ServerAct } | null>(null);
  draft = $state.raw<Draft | null>(null);
  /** A file of keys that was dropped onto the window, until the form has taken it. */
  keyFile = $state.raw<string | null>(null);
  /** A link to join an organisation, until the form is done with it. */
  joinLink = $state.raw<string | null>(null);
  /** Counts how often a new server was begun from outside of its form: the form begins anew then. */
  begun = $state(0);

  readonly #app: AppState;

  constructor(app: AppState) {
    this.#app = app;
  }

  /** Takes what was wished outside of the window. */
  async take(): Promise<void> {
    let wishes: Wished[];
    try {
      wishes = await this.#app.host.app.wishes();
    } catch {
      // The backend that cannot say what is wished says so on every screen.
      return;
    }
    for (const { wish, outside } of wishes) {
      if (outside) this.asked = [...this.asked, wish].slice(-8);
      else this.follow(wish);
    }
  }

  /** What was asked about is answered. */
  answer(follow: boolean): void {
    const [wish, ...rest] = this.asked;
    this.asked = rest;
    if (follow && wish) this.follow(wish);
  }

  follow(wish: Wish): void {
    const app = this.#app;
    switch (wish.kind) {
      case 'server':
        app.showServerById(wish.server);
        break;
      case 'extend':
        this.act(wish.server, 'extend');
        break;
      case 'console': {
        const { server } = wish;
        app.showServerById(
          server,
          () => void app.attempt(async () => void (await app.host.sessions.screen({ server, vnc: null }))),
        );
        break;
      }
      case 'password':
        this.act(wish.server, 'password');
        break;
      case 'create':
        this.create(wish.template, { name: wish.name, purpose: wish.purpose, hours: wish.hours });
        break;
      case 'screen':
        app.go(wish.screen as Screen);
        break;
      case 'join':
        app.go('grants', () => (this.joinLink = wish.link));
        break;
      case 'key_file':
        this.keyFile = wish.file;
        if (app.accounts.accounts.length > 0) app.go('add-account');
        break;
      case 'action':
        void actionById(wish.action)?.run(app);
        break;
      case 'unreadable':
        break;
    }
  }

  /** Shows a server and asks there what the act needs to know. */
  act(server: string, act: ServerAct): void {
    this.#app.showServerById(server, () => (this.wantedAct = { server, act }));
  }

  create(template: string | null, draft: Draft | null): void {
    this.#app.go('create', () => {
      this.#app.wantedTemplate = template;
      this.draft = draft;
      this.begun += 1;
    });
  }
}

// What can be asked for a server now, and if not, why: in the words that stand beside the button.
import type { Disk } from '../../host/generated';
import { stateWord } from '../../parts/states';
import type { Row } from '../../state.svelte';
import { m } from '../../words/words.svelte';

/** Why nothing at all can be asked for it now; null when something can. */
export function whyNothing({ server, operation }: Row): string | null {
  if (server === null) return m.why_making();
  if (!server.own) return m.servers_not_own();
  if (server.state === 'deleting') return m.why_state({ state: stateWord.deleting() });
  return operation === null ? null : m.why_busy();
}

/** Why nobody can log in to it now. */
export function whyNoConnect({ server }: Row): string | null {
  if (server === null) return m.why_making();
  if (!server.own) return m.servers_not_own();
  if (server.os === 'Windows') return m.connect_windows();
  if (server.addresses.length === 0) return m.detail_no_address();
  return server.state === 'running' ? null : m.connect_not_running({ state: stateWord[server.state]() });
}

/** Why its screen cannot be seen now. */
export function whyNoScreen({ server }: Row): string | null {
  if (server === null) return m.why_making();
  if (!server.own) return m.servers_not_own();
  return server.state === 'running' ? null : m.connect_not_running({ state: stateWord[server.state]() });
}

/** Why its size or its disks cannot be changed: the cloud does that with a server that runs or is stopped only. */
export function whyAtRest(row: Row): string | null {
  const nothing = whyNothing(row);
  const state = row.server?.state;
  if (nothing !== null || state === undefined) return nothing;
  return state === 'running' || state === 'stopped' ? null : m.why_at_rest({ state: stateWord[state]() });
}

/** Why this disk cannot be grown. */
export function whyGrow(row: Row, disk: Disk): string | null {
  const rest = whyAtRest(row);
  if (rest !== null) return rest;
  if (!disk.attached) return m.why_disk_detached();
  if (disk.state !== 'in-use') return m.why_disk_state({ state: disk.state });
  return (disk.sizeGb ?? 0) >= disk.mostGb ? m.why_disk_largest({ most: disk.mostGb }) : null;
}

/** Why this disk cannot be taken off. */
export function whyDetach(row: Row, disk: Disk): string | null {
  if (disk.system) return m.why_disk_system();
  const rest = whyAtRest(row);
  if (rest !== null) return rest;
  return disk.state === 'in-use' ? null : m.why_disk_state({ state: disk.state });
}

/** Why this disk, which is on nothing, cannot be attached; `free`: how many more disks the server can have. */
export function whyAttach(row: Row, disk: Disk, free: number | null): string | null {
  const rest = whyAtRest(row);
  if (rest !== null) return rest;
  if (disk.state !== 'available') return m.why_disk_state({ state: disk.state });
  return free === 0 ? m.why_disk_slots() : null;
}

/** Why this disk, which is on nothing, cannot be deleted. */
export function whyDeleteDisk(row: Row, disk: Disk): string | null {
  if (!disk.own) return m.why_disk_not_own();
  if (disk.state !== 'available' && disk.state !== 'error') return m.why_disk_state({ state: disk.state });
  return whyNothing(row);
}

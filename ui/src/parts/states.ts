// Words and tones of the backend's states, one table each, so that a new state fails to compile until it has both.
import type {
  Delivery,
  Environment,
  EventOutcome,
  Operation,
  OperationKind,
  ServerState,
  WireError,
} from '../host/generated';
import { m } from '../words/words.svelte';

export const stateWord: Record<ServerState, () => string> = {
  creating: m.state_creating,
  running: m.state_running,
  stopping: m.state_stopping,
  stopped: m.state_stopped,
  starting: m.state_starting,
  restarting: m.state_restarting,
  resizing: m.state_resizing,
  confirming_size: m.state_confirming_size,
  reinstalling: m.state_reinstalling,
  deleting: m.state_deleting,
  error: m.state_error,
  frozen: m.state_frozen,
  unknown: m.state_unknown,
};

export const stateTone: Record<ServerState, 'on' | 'busy' | 'off' | 'attention' | 'fault'> = {
  creating: 'busy',
  running: 'on',
  stopping: 'busy',
  stopped: 'off',
  starting: 'busy',
  restarting: 'busy',
  resizing: 'busy',
  confirming_size: 'attention',
  reinstalling: 'busy',
  deleting: 'busy',
  error: 'fault',
  frozen: 'attention',
  unknown: 'off',
};

export const operationWord: Record<OperationKind, () => string> = {
  'server.create': m.operation_create,
  'lease.update': m.operation_lease,
  'lease.cancel': m.operation_cancel_lease,
  'server.start': m.operation_start,
  'server.stop': m.operation_stop,
  'server.reboot': m.operation_reboot,
  'server.delete': m.operation_delete,
  'server.resize': m.operation_resize,
  'server.rename': m.operation_rename,
  'server.tag': m.operation_tag,
  'server.adopt': m.operation_adopt,
  'server.password': m.operation_password,
  'network.admit': m.operation_admit,
  'server.mark_parts': m.operation_mark_parts,
  'disk.add': m.operation_disk_add,
  'disk.grow': m.operation_disk_grow,
  'disk.detach': m.operation_disk_detach,
  'disk.attach': m.operation_disk_attach,
  'disk.delete': m.operation_disk_delete,
  'eip.release': m.operation_release_address,
};

/** Where an operation stands, in one word of ours. */
export type OperationState = 'recorded' | 'cancelling' | 'sent' | 'ok' | 'failed' | 'cancelled';

export function operationState(operation: Operation): OperationState {
  if (operation.cancelling) return 'cancelling';
  if (operation.stage !== 'settled') return operation.stage;
  return operation.outcome ?? 'failed';
}

/** The same as a colour says it: on its way, well ended, badly ended, or nothing came of it. */
export const operationTone: Record<OperationState, 'busy' | 'ok' | 'bad' | ''> = {
  recorded: 'busy',
  cancelling: 'busy',
  sent: 'busy',
  ok: 'ok',
  failed: 'bad',
  cancelled: '',
};

export const operationStateWord: Record<OperationState, () => string> = {
  recorded: m.stage_recorded,
  cancelling: m.stage_cancelling,
  sent: m.stage_sent,
  ok: m.stage_ok,
  failed: m.stage_failed,
  cancelled: m.stage_cancelled,
};

// The cloud's own words for the steps of its work: of jobs (INIT, RUNNING), and `task_state` and `status` of servers.
const stepWord: Record<string, () => string> = {
  INIT: m.step_init,
  RUNNING: m.step_running,
  ACTIVE: m.state_running,
  BUILD: m.state_creating,
  SHUTOFF: m.state_stopped,
  scheduling: m.step_scheduling,
  block_device_mapping: m.step_disks,
  networking: m.step_network,
  spawning: m.step_booting,
  'powering-off': m.state_stopping,
  'powering-on': m.state_starting,
  rebooting: m.state_restarting,
  reboot_started: m.state_restarting,
  rebooting_hard: m.state_restarting,
  reboot_started_hard: m.state_restarting,
  deleting: m.state_deleting,
};

/** What is being done for an operation: in our words where they are known, else in the cloud's. */
export function progressWord(operation: Operation): string {
  if (operation.progress === null) return operationStateWord[operationState(operation)]();
  return stepWord[operation.progress]?.() ?? operation.progress;
}

export const outcomeWord: Record<EventOutcome, () => string> = {
  ok: m.outcome_ok,
  failed: m.outcome_failed,
  refused: m.outcome_refused,
};

export const outcomeTone: Record<EventOutcome, 'ok' | 'bad' | 'warn'> = { ok: 'ok', failed: 'bad', refused: 'warn' };

/** Whether delivery stands still until somebody acts or the data platform comes back. */
export const inTrouble = (delivery: Delivery | null): boolean =>
  delivery?.state === 'waiting_to_retry' || delivery?.state === 'parked';

export const environmentWord: Record<Environment, () => string> = {
  none: m.environment_none,
  docker: m.environment_docker,
  python: m.environment_python,
  java: m.environment_java,
  node: m.environment_node,
};

/** What became of an act on one of several: in a word, whether it is over, and why it failed. */
export type Told = { word: string; tone: '' | 'ok' | 'bad' | 'busy'; error: WireError | null };

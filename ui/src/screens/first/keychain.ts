import type { WireError } from '../../host/generated';

/** Whether the system keychain, not the cloud, stood in the way: then the key can still be used for this run. */
export const keychainRefused = (error: WireError | null): boolean =>
  error !== null && ['keychain_locked', 'keychain_absent', 'keychain_timeout', 'keychain_failed'].includes(error.code);

// Words of the backend's names, one table each, so that a new name fails to compile until it has one.
import type {
  BadLine,
  BillKind,
  BillReason,
  BudgetScope,
  ForecastMethod,
  ReadingState,
  WasteAct,
  WasteKind,
  WasteReason,
} from '../../host/generated';
import { m } from '../../words/words.svelte';
import type { List, PeriodName } from './period';

export const periodWord: Record<PeriodName, () => string> = {
  month: m.usage_period_month,
  last_month: m.usage_period_last_month,
  today: m.usage_period_today,
  days_7: m.usage_period_days_7,
  days_30: m.usage_period_days_30,
  quarter: m.usage_period_quarter,
  last_quarter: m.usage_period_last_quarter,
  months_12: m.usage_period_months_12,
  months_24: m.usage_period_months_24,
  days: m.usage_period_days,
};

export const listWord: Record<List, () => string> = {
  owners: m.column_owner,
  flavors: m.usage_flavor,
  regions: m.usage_region,
  purposes: m.usage_purpose,
  templates: m.usage_template,
};

export const wasteKindWord: Record<WasteKind, () => string> = {
  server: m.usage_waste_server,
  disk: m.usage_waste_disk,
  public_address: m.usage_waste_address,
};

export const wasteReasonWord: Record<WasteReason, () => string> = {
  stopped_in_lease: m.usage_waste_stopped,
  forgotten: m.usage_waste_forgotten,
  no_session: m.usage_waste_no_session,
  no_owner: m.usage_waste_no_owner,
  no_lease: m.usage_waste_no_lease,
  disk_unattached: m.usage_waste_disk_unattached,
  address_unbound: m.usage_waste_address_unbound,
  leftover: m.usage_waste_leftover,
};

export const wasteActWord: Record<WasteAct, () => string> = {
  delete_server: m.usage_act_delete,
  set_lease: m.usage_act_lease,
  adopt: m.usage_act_adopt,
  remove_leftover: m.usage_act_leftover,
  delete_disk: m.usage_act_disk,
  console: m.usage_act_console,
};

export const billKindWord: Record<BillKind, () => string> = {
  compute: m.usage_compute,
  disk: m.usage_disk,
  address: m.usage_address,
  traffic: m.usage_traffic,
  other: m.usage_other,
};

export const billReasonWord: Record<BillReason, () => string> = {
  not_final: m.usage_reason_not_final,
  discount: m.usage_reason_discount,
  traffic: m.usage_reason_traffic,
  untagged: m.usage_reason_untagged,
  not_ours: m.usage_reason_not_ours,
  rounding: m.usage_reason_rounding,
  unreadable: m.usage_reason_unreadable,
  own_events_only: m.usage_reason_own_events,
  still_counting: m.usage_reason_counting,
};

export const methodWord: Record<ForecastMethod, () => string> = {
  run_rate: m.usage_method_run_rate,
  last_month: m.usage_method_last_month,
  mean_of_three: m.usage_method_mean,
  trend_of_six: m.usage_method_trend,
  last_year: m.usage_method_last_year,
};

export const scopeWord: Record<BudgetScope, () => string> = {
  all: m.usage_budget_all,
  owner: m.column_owner,
  purpose: m.usage_purpose,
};

export const readingWord: Record<ReadingState, () => string> = {
  never: m.usage_reading_never,
  running: m.usage_reading_running,
  done: m.usage_reading_done,
  cancelled: m.usage_reading_cancelled,
  failed: m.usage_reading_failed,
};

export const badLineWord: Record<BadLine, () => string> = {
  too_long: m.usage_line_too_long,
  not_text: m.usage_line_not_text,
  not_json: m.usage_line_not_json,
  wrong_cells: m.usage_line_wrong_cells,
  not_an_event: m.usage_line_not_event,
  newer: m.usage_line_newer,
};

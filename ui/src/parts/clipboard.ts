// Puts a text into the clipboard, in every system's webview.

/** Copies it; what had the focus keeps it. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
}

// WebKitGTK refuses the clipboard interface on custom schemes; selecting and copying still works there.
function copyBySelection(text: string): void {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  const active = document.activeElement;
  const home = active?.closest('dialog') ?? document.body;
  home.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
  if (active instanceof HTMLElement) active.focus();
}

// Which system's letters are used. Each family of a list that is not installed is looked for again for every size and
// weight: on Linux a list for all systems took a third of the time to the first screen.

const platform = navigator.platform;
document.documentElement.dataset['system'] = /mac/i.test(platform)
  ? 'mac'
  : /win/i.test(platform)
    ? 'windows'
    : 'linux';

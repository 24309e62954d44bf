// `syrinx version`: which program this is and what runs it.
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

/** The same as in `package.json`; a test holds the two together. */
export const VERSION = '0.1.0';

export const command: Command = {
  name: 'version',
  summary: 'Show the version of this program and of what runs it.',
  usage: 'version',
  options: [],
  positionals: [],
  configuration: 'none',
  async run({ host, version }) {
    host.print(`syrinx ${version} (${host.name} ${host.version}, ${host.platform})`);
    return EXIT.success;
  },
};

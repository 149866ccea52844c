import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, extname, join } from 'node:path';
import process from 'node:process';

/**
 * The command line that starts another program of this product, without its arguments; undefined: the program was not
 * found. The order of search: beside the running program (by the path with which it was called, so that /usr/bin/causeway
 * finds /usr/bin/causeway-manager); the programs that npm links in node_modules/.bin of a folder above; PATH. A script
 * for Node is run by the Node that runs this process.
 */
export function findProgram(
  name: string,
  { running = process.argv[1] ?? '', path = process.env['PATH'] ?? '' } = {},
): readonly string[] | undefined {
  const beside = join(dirname(running), `${name}${extname(basename(running))}`);
  const linked = foldersAbove(running).map((folder) => join(folder, 'node_modules/.bin', name));
  const onPath = path.split(delimiter).flatMap((folder) => (folder === '' ? [] : [join(folder, name)]));
  const found = [beside, ...linked, ...onPath].find((file) => existsSync(file));
  if (found === undefined) return undefined;
  const file = realpathSync(found);
  return /\.m?js$/.test(file) ? [process.execPath, file] : [file];
}

/** The folder that a file is in, the folder above, and so on to the root. */
function foldersAbove(file: string): readonly string[] {
  const folder = dirname(file);
  return folder === file || folder === '.' ? [] : [folder, ...foldersAbove(folder)];
}

// Prints `--test NAME` for each Rust test whose sources are in the given folder of tests/, from `cargo metadata` on stdin.
import process from 'node:process';
import { json } from 'node:stream/consumers';

const folder = process.argv[2];
// A stream waits for what is not written yet; a synchronous read of a pipe may be told to come again.
const { packages } = /** @type {any} */ (await json(process.stdin));
const { targets } = packages.find((entry) => entry.name === 'outrigger-tests');
const found = targets.filter((target) => target.kind.includes('test') && target.src_path.includes(`/tests/${folder}/`));
process.stdout.write(found.map((target) => `--test ${target.name}`).join(' '));

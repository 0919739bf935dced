// Prints `--test NAME` for each Rust test whose sources are in the given folder of tests/, from `cargo metadata` on stdin.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const folder = process.argv[2];
const { packages } = JSON.parse(readFileSync(0, 'utf8'));
const { targets } = packages.find((entry) => entry.name === 'outrigger-tests');
const found = targets.filter((target) => target.kind.includes('test') && target.src_path.includes(`/tests/${folder}/`));
process.stdout.write(found.map((target) => `--test ${target.name}`).join(' '));

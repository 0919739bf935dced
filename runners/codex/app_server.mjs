// How is `codex app-server` talked to? JSON-RPC as in lib/json_rpc.mjs, without a "jsonrpc" field.

import { RpcChild } from '../lib/json_rpc.mjs';

export { RpcError } from '../lib/json_rpc.mjs';

/** A running `codex app-server`. */
export class AppServer extends RpcChild {
  /**
   * @param {Omit<import('../lib/child.mjs').CliStart, 'onLines'>} start
   * @param {import('../lib/json_rpc.mjs').Incoming} incoming
   */
  constructor(start, incoming) {
    super(start, incoming, { name: 'codex', versioned: false });
  }
}

// What must a command of the agent not find in its environment? A plugin that opencode loads: with the server's password a
// command could answer the questions about itself.

/** The plugin. */
export const shellEnvironment = async () => ({
  /**
   * @param {unknown} _input
   * @param {{ env: Record<string, string> }} output laid over the environment of a command
   */
  'shell.env': async (_input, output) => {
    output.env.OPENCODE_SERVER_PASSWORD = '';
  },
});

// Everything a broken agent may print, among valid lines: what a host must survive without losing a valid line.

/**
 * @param {string} sessionId
 * @returns {(Buffer | 'pause')[]} what is written to stdout, as it is; at a pause the writer waits a moment
 */
export function garbage(sessionId) {
  const event = (/** @type {string} */ json) =>
    `{"type":"agent_event","sessionId":${JSON.stringify(sessionId)},"event":${json}}`;
  const whole = Buffer.from(`${event('{"type":"text","block":9001,"text":"a line that came in two halves"}')}\n`);
  const line = (/** @type {string} */ text) => Buffer.from(`${text}\n`);
  return [
    line('this is not JSON'),
    line('[1,2,3]'),
    line('"a string"'),
    line('{"no":"type"}'),
    line('{"type":"agent_event","sessionId":"cut off'),
    line(''),
    line('\u0000\u0001\u001b[31mcontrol characters\u001b[0m'),
    Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x0a]),
    Buffer.concat([
      Buffer.from(event('{"type":"text","block":9002,"text":"invalid UTF-8 inside: ').slice(0, -1)),
      Buffer.from([0xc3, 0x28, 0xff]),
      line(' end"}}'),
    ]),
    line(event('{"type":"text","block":9003,"text":"half an emoji: \\ud83d end"}')),
    line(event('{"type":"text","block":9004,"text":"line\u2028separator\u2029and\u0085next line"}')),
    line(event('{"type":"from_the_future","anything":{"goes":[1,2.5e300,null]}}')),
    line('{"type":"a_line_type_from_the_future","x":1}'),
    whole.subarray(0, 40),
    'pause',
    whole.subarray(40),
    line(event(`{"type":"text","block":9005,"text":"${'x'.repeat(12 * 1024 * 1024)}"}`)),
    line(event('{"type":"text","block":9006,"text":"the first valid line after 12 MiB"}')),
  ];
}

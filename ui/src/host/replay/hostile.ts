// What would an agent write that wants out of its box? Everything that must come out as harmless words.

/** Markdown that tries to run code, load something or lead the page away. */
export const hostileMarkdown = `# Hello <img src=x onerror="window.pwned=1">

<script>window.pwned = 2</script>

<iframe src="javascript:window.pwned=3"></iframe> <svg onload="window.pwned=4"><style>*{display:none}</style></svg>

[a script](javascript:window.pwned=5) [data](data:text/html,<script>window.pwned=6</script>) [file](file:///etc/passwd)
[Tab](java&#x09;script:window.pwned=7) [a fine link](https://example.org/page) <https://example.org/auto> [mail](mailto:a@example.org)

![an image](https://example.org/track.png) ![x](x" onerror="window.pwned=8)

<form action="https://example.org"><input name="a"><button>Send</button></form>
<a href="https://example.org" onclick="window.pwned=9" style="position:fixed;inset:0">cover</a>

| a | b |
| - | - |
| <b onmouseover="window.pwned=10">x</b> | \`<img src=x onerror=window.pwned=11>\` |

\`\`\`html
<script>window.pwned = 12</script>
\`\`\`

<details open ontoggle="window.pwned=13"><summary>x</summary></details>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.pwned=14&gt;">
`;

import sys

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("words")


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def count_words(text: str) -> str:
    """Counts the words of a text"""
    count = len(text.split())
    # stdout is the connection. What is for people goes to stderr, and from there into the sidecar's log.
    print(f"counted {count} words", file=sys.stderr)
    return f"{count} words"


server.run()

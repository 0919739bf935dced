#!/usr/bin/env python3
import json, os, sys

if "--version" in sys.argv:
    print("1.0.0")
    sys.exit()

def say(**event):
    print(json.dumps(event), flush=True)

for line in sys.stdin:
    prompt = json.loads(line)["message"]["content"]
    say(type="tool_call", id="look", name="list", kind="read", title="List the folder")
    names = sorted(os.listdir("."))
    say(type="tool_result", id="look", ok=True, output="\n".join(names))
    answer = f"You said: {prompt} I found {len(names)} files."
    for word in answer.split(" "):
        say(type="text_delta", block=1, text=word + " ")
    say(type="text", block=1, text=answer)
    say(type="result")

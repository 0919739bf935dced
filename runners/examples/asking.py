#!/usr/bin/env python3
import json, sys, uuid

if "--version" in sys.argv:
    print("1.0.0")
    sys.exit()

def say(**event):
    print(json.dumps(event), flush=True)

def ask(tool, title, **details):
    """Asks the user; gives what is to be done, or None when it was declined."""
    question = str(uuid.uuid4())
    request = {"subtype": "can_use_tool", "tool_name": tool, "description": title, "input": details}
    say(type="control_request", request_id=question, request=request)
    for line in sys.stdin:
        heard = json.loads(line)
        if heard["type"] == "control_response" and heard["response"]["request_id"] == question:
            answer = heard["response"]["response"]
            return answer["updatedInput"] if answer["behavior"] == "allow" else None
        if heard["type"] == "control_request":
            acknowledge(heard)
            if heard["request"]["subtype"] == "interrupt":
                say(type="control_cancel_request", request_id=question)
                raise KeyboardInterrupt

def acknowledge(heard):
    say(type="control_response", response={"subtype": "success", "request_id": heard["request_id"]})

def turn(prompt):
    todo = ask("Write", "a note", file_path="note.txt", content=prompt)
    if todo is None:
        return "Then I leave it."
    with open(todo["file_path"], "w") as note:
        note.write(todo["content"])
    return "The note is written."

for line in sys.stdin:
    heard = json.loads(line)
    if heard["type"] == "control_request":
        acknowledge(heard)
    elif heard["type"] == "user":
        try:
            say(type="text", text=turn(heard["message"]["content"]))
            say(type="result")
        except KeyboardInterrupt:
            say(type="result", terminal_reason="aborted_tools")

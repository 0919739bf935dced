//! Which program is behind a `.cmd` file?
//!
//! Pure. Windows refuses to start such files without a shell (CVE-2024-27980), and a shell line built from data is
//! not an option, so the file is read and what it starts is started directly. Only the shapes that npm's and pnpm's
//! generators write are recognised; anything else is declined.

use std::path::PathBuf;

/// What a `.cmd` file starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BehindShim {
    /// A native program, relative to the file's folder.
    Native(PathBuf),
    /// A script for node, relative to the file's folder.
    Script(PathBuf),
}

/// Reads a `.cmd` file's text.
pub(crate) fn behind_shim(text: &str) -> Option<BehindShim> {
    let line = text.lines().rev().map(str::trim).find(|line| line.ends_with("%*"))?;
    // The last quoted path that begins at the file's own folder is what is started; a quoted node before it is the
    // runtime.
    let quoted = line.split('"').skip(1).step_by(2);
    let target = quoted.filter_map(|word| word.strip_prefix("%dp0%").or_else(|| word.strip_prefix("%~dp0"))).last()?;
    let target = target.trim_start_matches(['\\', '/']);
    if target.contains('%') || target.is_empty() {
        return None;
    }
    let path: PathBuf = target.split(['\\', '/']).collect();
    let runs_node =
        line.contains("%_prog%") || line.contains("node.exe\"") || line.contains("node ") || line.starts_with("@node");
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("exe") => Some(BehindShim::Native(path)),
        Some("js" | "mjs" | "cjs") if runs_node => Some(BehindShim::Script(path)),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{BehindShim, behind_shim};
    use std::path::PathBuf;

    #[test]
    fn the_shapes_of_npm_and_pnpm_are_read_and_others_declined() {
        let npm_script = "@ECHO off\r\nGOTO start\r\n:find_dp0\r\nSET dp0=%~dp0\r\nEXIT /b\r\n:start\r\nSETLOCAL\r\nCALL :find_dp0\r\n\r\n\
            IF EXIST \"%dp0%\\node.exe\" (\r\n  SET \"_prog=%dp0%\\node.exe\"\r\n) ELSE (\r\n  SET \"_prog=node\"\r\n)\r\n\r\n\
            endLocal & goto #_undefined_# 2>NUL || title %COMSPEC% & \"%_prog%\"  \"%dp0%\\node_modules\\@openai\\codex\\bin\\codex.js\" %*\r\n";
        let codex: PathBuf = ["node_modules", "@openai", "codex", "bin", "codex.js"].iter().collect();
        assert_eq!(behind_shim(npm_script), Some(BehindShim::Script(codex)));
        let npm_native = "@ECHO off\r\n\"%dp0%\\node_modules\\@anthropic-ai\\claude-code\\bin\\claude.exe\"   %*\r\n";
        let claude: PathBuf = ["node_modules", "@anthropic-ai", "claude-code", "bin", "claude.exe"].iter().collect();
        assert_eq!(behind_shim(npm_native), Some(BehindShim::Native(claude)));
        let pnpm = "@IF EXIST \"%~dp0\\node.exe\" (\r\n  \"%~dp0\\node.exe\"  \"%~dp0\\global\\5\\x\\cli.js\" %*\r\n) ELSE (\r\n  node  \"%~dp0\\global\\5\\x\\cli.js\" %*\r\n)\r\n";
        assert_eq!(behind_shim(pnpm), Some(BehindShim::Script(["global", "5", "x", "cli.js"].iter().collect())));
        assert_eq!(behind_shim("@echo off\r\npython \"%~dp0\\tool.py\" %*\r\n"), None);
        assert_eq!(behind_shim("@echo off\r\n\"%dp0%\\%WHERE%\\tool.exe\" %*\r\n"), None);
        assert_eq!(behind_shim("echo hello"), None);
    }
}

use std::error::Error;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::{ServiceExt, schemars, tool, tool_router};

struct Words;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Text {
    /// The text
    text: String,
}

#[tool_router(server_handler)]
impl Words {
    #[tool(description = "Counts the words of a text", annotations(read_only_hint = true))]
    fn count_words(&self, Parameters(Text { text }): Parameters<Text>) -> String {
        let count = text.split_whitespace().count();
        // stdout is the connection. What is for people goes to stderr, and from there into the sidecar's log.
        eprintln!("counted {count} words");
        format!("{count} words")
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    Words.serve(rmcp::transport::io::stdio()).await?.waiting().await?;
    Ok(())
}

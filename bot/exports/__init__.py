"""What leaves the product as a document: a `Diary` goes in, bytes come out; nothing here reads a clock or a database."""

"""What leaves the product as a document: a `Diary` goes in, bytes come out; no clock and no database is read here."""

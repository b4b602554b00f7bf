//! The SMTP conversation: ingress and submission.

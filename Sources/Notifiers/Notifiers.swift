// Notifiers

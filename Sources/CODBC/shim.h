// Swift sees unixODBC through this one header.
#include <stdint.h>
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

// Attributes whose value is a number take it as a pointer, which Swift can't make of one.
static inline SQLRETURN tocsin_odbc_set_env(SQLHENV h, SQLINTEGER attribute, SQLULEN value) {
  return SQLSetEnvAttr(h, attribute, (SQLPOINTER)(uintptr_t)value, SQL_IS_UINTEGER);
}
static inline SQLRETURN tocsin_odbc_set_connection(SQLHDBC h, SQLINTEGER attribute, SQLULEN value) {
  return SQLSetConnectAttr(h, attribute, (SQLPOINTER)(uintptr_t)value, SQL_IS_UINTEGER);
}
static inline SQLRETURN tocsin_odbc_set_statement(SQLHSTMT h, SQLINTEGER attribute, SQLULEN value) {
  return SQLSetStmtAttr(h, attribute, (SQLPOINTER)(uintptr_t)value, SQL_IS_UINTEGER);
}
